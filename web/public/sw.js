// Lets the phone pages open without a network: files of the client, and what they must know of the city and of whoever is signed in.
const CACHE = 'cityloop-1'
const MOST_FILES = 240
const KNOWN = ['/api/v1/session', '/api/v1/city', '/api/v1/city/areas', '/api/v1/city/matters', '/api/v1/case-states', '/api/v1/city/areas.geojson']
const isFile = (url) => url.origin === self.location.origin && (url.pathname.startsWith('/assets/') || url.pathname === '/theme.js' || url.pathname === '/icon.svg')

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(['/', '/theme.js', '/icon.svg'])))
  self.skipWaiting()
})

self.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
  event.waitUntil(old.then(() => self.clients.claim()))
})

async function keep(request, response) {
  if (!response.ok) return response
  const cache = await caches.open(CACHE)
  await cache.put(request, response.clone())
  const files = (await cache.keys()).filter((one) => new URL(one.url).pathname.startsWith('/assets/'))
  await Promise.all(files.slice(0, Math.max(0, files.length - MOST_FILES)).map((one) => cache.delete(one)))
  return response
}

async function newest(request, key) {
  try {
    return await keep(key, await fetch(request))
  } catch (error) {
    const kept = await caches.match(key)
    if (kept) return kept
    throw error
  }
}

async function held(request) {
  return (await caches.match(request)) || keep(request, await fetch(request))
}

// Who signs out takes along what was kept of the session.
async function signedOut(request) {
  const cache = await caches.open(CACHE)
  await cache.delete('/api/v1/session')
  return fetch(request)
}

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (url.origin !== self.location.origin) return
  if (url.pathname === '/api/v1/session' && request.method === 'DELETE') return event.respondWith(signedOut(request))
  if (request.method !== 'GET') return
  if (request.mode === 'navigate') return event.respondWith(newest(request, '/'))
  if (isFile(url)) return event.respondWith(held(request))
  if (KNOWN.includes(url.pathname)) event.respondWith(newest(request, url.pathname + url.search))
})

self.addEventListener('message', (event) => {
  const wanted = (event.data && event.data.keep) || []
  const files = wanted.filter((one) => isFile(new URL(one)))
  event.waitUntil(Promise.all(files.map((one) => held(new Request(one)).catch(() => undefined))))
})
