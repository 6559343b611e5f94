// A stand-in for the server while working on the screens: the same paths, invented cases, true geometry.
// Run: CITYLOOP_GEO=<folder with the Shenzhen geometry> node dev/mock.mjs [port]. Never part of the build.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { buildData } from './data.mjs'
import { buildWorld } from './world.mjs'

const geo = process.env.CITYLOOP_GEO
if (!geo) throw new Error('set CITYLOOP_GEO to the folder with shenzhen_districts_echarts.geojson.gz')
const read = (name) => JSON.parse(gunzipSync(readFileSync(join(geo, name))))
const world = buildWorld(read('shenzhen_districts_echarts.geojson.gz'), read('shenzhen_traffic_zones.geojson.gz'))
const platform = buildData(world)
const statics = new URL('../../src/cityloop/serve/static/', import.meta.url).pathname
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const streams = new Set()
const crowded = process.env.CITYLOOP_MOCK === 'empty' ? 'empty' : 'normal'

function problem(response, status, code, detail, mend = '', faults = []) {
  response.writeHead(status, { 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ type: `https://cityloop.example/problems/${code}`, title: code, status, code, detail, mend, faults }))
}

function json(response, body, status = 200, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function page(items, query) {
  const number = Number(query.get('page') ?? 1)
  const size = Number(query.get('size') ?? 50)
  const rows = crowded === 'empty' ? [] : items
  return { items: rows.slice((number - 1) * size, number * size), total: rows.length, page: number, size }
}

function sorted(items, query, fallback) {
  const sort = query.get('sort') || fallback
  const key = sort.replace(/^-/, '')
  const sign = sort.startsWith('-') ? -1 : 1
  const rank = { red: 4, orange: 3, yellow: 2, blue: 1 }
  const value = (row) => (key === 'level' ? rank[row.level] : (row[key] ?? ''))
  return [...items].sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0))
}

function actorOf(request) {
  const token = /cityloop_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  return token ? world.posts.find((p) => p.account === token) : undefined
}

function session(post) {
  return {
    actor: { id: post.account, name: post.name, kind: 'person', posts: post.posts, department: post.department, areas: [] },
    permissions: ['clock.set', 'drill.switch', 'warning.acknowledge', 'case.report', 'case.accept', 'case.file', 'case.dispatch', 'standard.read', 'standard.change', 'source.operate', 'quarantine.correct', 'quality.read', 'inspection.run', 'grant.request', 'grant.decide'],
    sees: ['source', 'quarantine', 'dataset', 'grant', 'quality'],
  }
}

async function bodyOf(request) {
  let text = ''
  for await (const part of request) text += part
  return text.startsWith('{') ? JSON.parse(text) : {}
}

const routes = [
  ['GET', /^\/session$/, ({ response, actor }) => json(response, session(actor))],
  ['DELETE', /^\/session$/, ({ response }) => { response.writeHead(204, { 'set-cookie': 'cityloop_session=; Path=/; Max-Age=0' }); response.end() }],
  ['GET', /^\/city\/areas$/, ({ response }) => json(response, world.areas)],
  ['GET', /^\/city\/areas\.geojson$/, ({ response, query }) => json(response, query.get('level') === 'cell' ? world.cells : world.districts)],
  ['GET', /^\/city\/matters$/, ({ response }) => json(response, world.matters)],
  ['PATCH', /^\/clock$/, ({ response, body }) => { world.setSpeed(body.speed); json(response, world.clock()); tell('clock', world.clock()) }],
  ['GET', /^\/feeds$/, ({ response }) => json(response, world.feeds())],
  ['GET', /^\/entity-types$/, ({ response }) => json(response, world.entityTypes)],
  ['GET', /^\/entities\.geojson$/, ({ response, query }) => json(response, world.entityPoints(query.get('entity_type')))],
  ['GET', /^\/entities\/([^/]+)\/history$/, ({ response, query, match }) => json(response, world.history(match[1], query.get('property')))],
  ['GET', /^\/entities\/([^/]+)$/, ({ response, match }) => { const e = world.entities.find((x) => x.id === decodeURIComponent(match[1])); e ? json(response, e) : problem(response, 404, 'not-found', `no entity '${match[1]}'`) }],
  ['GET', /^\/records\/(.+)$/, ({ response, match }) => json(response, world.record(decodeURIComponent(match[1])))],
  ['GET', /^\/warnings$/, ({ response, query }) => json(response, page(sorted(world.filterWarnings(query), query, '-raised_at'), query))],
  ['GET', /^\/warnings\/export$/, ({ response }) => { response.writeHead(200, { 'content-type': 'text/csv', 'content-disposition': 'attachment; filename="warnings.csv"' }); response.end('id\n') }],
  ['GET', /^\/warnings\/([^/]+)$/, ({ response, match }) => { const w = world.warningDetail(match[1]); w ? json(response, w) : problem(response, 404, 'not-found', `no warning '${match[1]}'`, 'it may lie outside your data scope') }],
  ['POST', /^\/warnings\/([^/]+)\/acknowledge$/, ({ response, match, actor }) => { const w = world.acknowledge(match[1], actor.account); json(response, world.warningDetail(match[1])); tell('warning', w) }],
  ['GET', /^\/rules$/, ({ response }) => json(response, world.rules)],
  ['GET', /^\/cases$/, ({ response, query }) => json(response, page(sorted(world.filterCases(query), query, '-opened_at'), query))],
  ['GET', /^\/cases\.geojson$/, ({ response, query }) => json(response, world.casePoints(crowded === 'empty' ? [] : world.filterCases(query)))],
  ['GET', /^\/case-states$/, ({ response }) => json(response, world.states)],
  ['POST', /^\/cases$/, ({ response, body }) => { if (!body.matter) return problem(response, 422, 'invalid', 'the report is not complete', '', [{ where: 'matter', what: 'missing', mend: 'choose one of GET /api/v1/city/matters' }]); const c = world.report(body); json(response, world.caseDetail(c.id), 201); tell('case', c) }],
  ['GET', /^\/cases\/([^/]+)$/, ({ response, match }) => { const c = world.caseDetail(match[1]); c ? json(response, c) : problem(response, 404, 'not-found', `no case '${match[1]}'`, 'it may lie outside your data scope') }],
  ['POST', /^\/cases\/([^/]+)\/moves$/, ({ response, match, body, actor }) => {
    const c = world.cases.find((x) => x.id === match[1])
    if (body.version !== c.version) return problem(response, 409, 'conflict', `the case is at version ${c.version}, you saw ${body.version}`, 'reload the case and look again')
    world.move(c, body, actor.account)
    json(response, world.caseDetail(c.id))
    tell('case', c)
  }],
  ['GET', /^\/model$/, ({ response }) => json(response, world.model)],
  ['POST', /^\/query$/, ({ response, body }) => json(response, world.query(body))],
  ['GET', /^\/drill\/actors$/, ({ response }) => json(response, world.drill)],
  ['PATCH', /^\/drill\/actors\/([^/]+)$/, ({ response, match, body }) => { const a = world.drill.find((x) => x.account === decodeURIComponent(match[1])); a.playing = body.playing; json(response, a) }],
]

const open = [
  ['GET', /^\/city$/, ({ response }) => json(response, world.city())],
  ['GET', /^\/clock$/, ({ response }) => json(response, world.clock())],
  ['GET', /^\/demo\/posts$/, ({ response }) => json(response, world.posts)],
  ['POST', /^\/demo\/session$/, ({ response, body }) => { const post = world.posts.find((p) => p.account === body.account); json(response, session(post), 200, { 'set-cookie': `cityloop_session=${post.account}; HttpOnly; Path=/` }) }],
  ['POST', /^\/session$/, ({ response, body }) => { const post = world.posts.find((p) => p.account === body.account); post && body.password === 'demo' ? json(response, session(post), 200, { 'set-cookie': `cityloop_session=${post.account}; HttpOnly; Path=/` }) : problem(response, 401, 'sign-in-needed', 'account or password is wrong', 'try again, or ask an administrator to reset it') }],
]

function tell(name, data) {
  for (const stream of streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://x')
  const path = url.pathname.replace(/^\/api\/v1/, '')
  const body = ['POST', 'PATCH'].includes(request.method) ? await bodyOf(request) : {}
  const actor = actorOf(request)
  const find = (list) => list.find(([method, pattern]) => method === request.method && pattern.test(path))
  const free = find(open)
  if (free) return free[2]({ response, body, query: url.searchParams })
  if (!actor) return problem(response, 401, 'sign-in-needed', 'nobody is signed in, or the session has ended')
  if (path === '/stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`: hello\n\nevent: feeds\ndata: ${JSON.stringify(world.freshness())}\n\n`)
    streams.add(response)
    return request.on('close', () => streams.delete(response))
  }
  const known = find(platform)
  if (known) {
    const value = known[2]({ query: url.searchParams, body, match: known[1].exec(path), page: (items) => page(sorted(items, url.searchParams, ''), url.searchParams) })
    return value === null ? problem(response, 404, 'not-found', `nothing at ${path}`) : json(response, value)
  }
  const found = find(routes)
  if (!found) return problem(response, 404, 'not-found', `no path ${path}`)
  return found[2]({ response, body, actor, query: url.searchParams, match: found[1].exec(path) })
}

function file(request, response) {
  const path = normalize(new URL(request.url, 'http://x').pathname)
  let name = join(statics, path)
  if (!existsSync(name) || !statSync(name).isFile()) name = join(statics, 'index.html')
  response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': CSP })
  createReadStream(name).pipe(response)
}

const port = Number(process.argv[2] ?? 8231)
createServer((request, response) => {
  if (!request.url.startsWith('/api/')) return file(request, response)
  answer(request, response).catch((error) => problem(response, 500, 'mock', String(error.stack)))
}).listen(port, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${port}`))

setInterval(() => tell('feeds', world.freshness()), 5000)
setInterval(() => tell('clock', world.clock()), 10000)
if (crowded === 'normal') setInterval(() => { const [kind, value] = world.step(); tell(kind, value) }, 2500)
