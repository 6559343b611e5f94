import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** Where the API runs while developing; the mock of dev/mock.mjs listens there by default. */
const api = process.env.CITYLOOP_API ?? 'http://127.0.0.1:8231'

/**
 * What a strict content security policy refuses, said otherwise: dmn-js writes styles into its markup (dmn.css has them
 * instead), and style-mod, of its cell editor, writes style elements where sheets can be adopted.
 */
const strict = {
  name: 'strict-styles',
  transform(code: string, id: string) {
    if (/dmn-js-[a-z-]+\/lib\//.test(id)) return { code: code.replace(/ ?style="[^"'`$]*"/g, ''), map: null }
    if (id.includes('/style-mod/')) return { code: code.replace('!root.head && root.adoptedStyleSheets', 'root.adoptedStyleSheets'), map: null }
  },
}

export default defineConfig({
  base: '/',
  plugins: [vue(), strict],
  worker: { format: 'es' },
  define: { __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false, __VUE_PROD_DEVTOOLS__: false },
  build: {
    target: 'es2022',
    outDir: '../src/cityloop/serve/static',
    emptyOutDir: true,
    // One chunk holds the map, another the charts; both load with the route that draws them.
    chunkSizeWarningLimit: 1400,
    // An inlined file would be a data: address, which a strict content security policy refuses.
    assetsInlineLimit: 0,
  },
  preview: { host: '127.0.0.1', port: 4173, proxy: { '/api': api } },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/api': api } },
})
