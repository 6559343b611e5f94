/// <reference types="vite/client" />
declare module 'dmn-js/lib/Modeler'
declare module 'dmn-js/lib/NavigatedViewer'
declare module 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url' {
  const url: string
  export default url
}
