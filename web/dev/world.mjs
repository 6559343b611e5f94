// The invented city behind dev/mock.mjs: warnings, cases and figures that look like a working day.
const START = Date.parse('2026-03-09T14:36:00+08:00')
const HOUR = 3600e3
let seed = 7
const random = () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff)
const pick = (list) => list[Math.floor(random() * list.length)]
const t = (zh, en) => ({ zh, en })
const CODES = { 罗湖区: '440303', 福田区: '440304', 南山区: '440305', 宝安区: '440306', 龙岗区: '440307', 盐田区: '440308', 龙华区: '440309', 坪山区: '440310', 光明区: '440311', 龙华新区: '440309', 光明新区: '440311', 坪山新区: '440310' }
const EN = { 440303: 'Luohu', 440304: 'Futian', 440305: 'Nanshan', 440306: "Bao'an", 440307: 'Longgang', 440308: 'Yantian', 440309: 'Longhua', 440310: 'Pingshan', 440311: 'Guangming' }
const DEPARTMENTS = [['urban', '城管局', 'Urban management'], ['transport', '交通运输局', 'Transport'], ['police', '公安交警', 'Traffic police'], ['environment', '生态环境局', 'Environment'], ['sanitation', '环卫中心', 'Sanitation'], ['water', '水务局', 'Water'], ['emergency', '应急局', 'Emergency'], ['housing', '住建局', 'Housing']]
const MATTERS = [['0101', '市容环境', 'City appearance', '暴露垃圾', 'Exposed rubbish', 'sanitation'], ['0102', '市容环境', 'City appearance', '道路破损', 'Broken road surface', 'transport'], ['0201', '街面秩序', 'Street order', '占道经营', 'Trading on the pavement', 'urban'], ['0202', '街面秩序', 'Street order', '违规停放机动车', 'Cars parked against the rules', 'police'], ['0301', '公用设施', 'Public facilities', '井盖缺损', 'Missing manhole cover', 'water'], ['0302', '公用设施', 'Public facilities', '路灯不亮', 'Street light out', 'urban'], ['0401', '环境保护', 'Environment', '空气污染', 'Air pollution', 'environment'], ['0402', '环境保护', 'Environment', '夜间施工噪声', 'Building noise at night', 'housing'], ['0501', '突发事件', 'Incidents', '车站客流拥挤', 'Crowded station', 'transport'], ['0103', '市容环境', 'City appearance', '垃圾箱满溢', 'Overflowing litter bin', 'sanitation']]
const STATES = [['reported', '待受理', 'Reported', 1], ['to_file', '待立案', 'To file', 2], ['to_dispatch', '待派遣', 'To dispatch', 3], ['to_handle', '待处置', 'To handle', 4], ['handling', '处置中', 'In handling', 4], ['to_review', '部门待确认', 'To review', 5], ['to_inspect', '待核查', 'To inspect', 5], ['to_close', '待结案', 'To close', 6], ['closed', '结案', 'Closed', 6], ['declined', '不予受理', 'Declined', 2]]
const MOVES = { reported: ['accept', '受理', 'Accept', 'to_file'], to_file: ['file', '立案', 'File', 'to_dispatch'], to_dispatch: ['dispatch', '派遣', 'Dispatch', 'to_handle'], to_handle: ['assign', '签收指派', 'Sign for and assign', 'handling'], handling: ['submit_result', '提交处置', 'Submit result', 'to_review'], to_review: ['confirm', '转核查', 'Confirm to centre', 'to_inspect'], to_inspect: ['accept_result', '免现场核查', 'Accept without visit', 'to_close'], to_close: ['close', '结案', 'Close', 'closed'] }
const SERIES = [['beijing-air', '北京空气质量', 'Beijing air quality', '北京 12 个国控站', '12 stations in Beijing', '2013-03 – 2016-02'], ['hangzhou-metro', '杭州地铁进站', 'Hangzhou metro entries', '杭州 80 个地铁站', '80 stations in Hangzhou', '2019-01-01 – 2019-01-20'], ['edinburgh-bins', '爱丁堡垃圾箱清运', 'Edinburgh litter bins', '爱丁堡 334 个垃圾箱', '334 bins in Edinburgh', '2016'], ['boston-311', '波士顿 311 诉求', 'Boston 311 requests', '波士顿', 'Boston', '2011-07 – 2011-11']]
const RULES = [['air-pm25', 'PM2.5 小时均值超标', 'PM2.5 above the limit', 'AirQualityStation', 'pm2_5', 'µg/m³', 'environment', '0401', 'beijing-air', { blue: 75, yellow: 115, orange: 150, red: 250 }], ['metro-crowd', '进站客流过高', 'Station entries too high', 'MetroStation', 'entries', '人/10 min', 'transport', '0501', 'hangzhou-metro', { blue: 300, yellow: 450, orange: 600, red: 900 }], ['bin-full', '垃圾箱满溢', 'Litter bin overflowing', 'WasteContainer', 'fill_before', '%', 'sanitation', '0103', 'edinburgh-bins', { blue: 90, yellow: 95, orange: 100 }], ['repeat-complaint', '同一事项重复投诉', 'Repeated complaints about one matter', 'CaseEvent', 'opened', '件', 'centre', '0402', 'boston-311', { yellow: 4, orange: 6, red: 8 }]]
const LEVELS = ['blue', 'yellow', 'orange', 'red']

function ring(geometry) {
  return geometry.type === 'Polygon' ? geometry.coordinates[0] : geometry.coordinates.map((p) => p[0]).sort((a, b) => b.length - a.length)[0]
}
function inside([x, y], points) {
  let hit = false
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i]
    const [xj, yj] = points[j]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) hit = !hit
  }
  return hit
}
const middle = (points) => points.reduce((a, p) => [a[0] + p[0] / points.length, a[1] + p[1] / points.length], [0, 0])

export function buildWorld(districtFile, zoneFile) {
  const epoch = Date.now()
  let speed = 60
  let anchor = { city: START, real: epoch }
  const now = () => anchor.city + (Date.now() - anchor.real) * speed
  const iso = (ms) => new Date(ms).toISOString()

  const districtAreas = districtFile.features.map((f) => {
    const code = CODES[f.properties.name] ?? '440399'
    return { code, title: t(f.properties.name, EN[code] ?? code), level: 'district', parent: '4403', local: false, centre: { lon: f.properties.cp[0], lat: f.properties.cp[1] }, rings: f.geometry.type === 'Polygon' ? [f.geometry.coordinates[0]] : f.geometry.coordinates.map((p) => p[0]), geometry: f.geometry }
  })
  const counters = {}
  const cellAreas = zoneFile.features.map((f) => {
    const centre = middle(ring(f.geometry))
    const home = districtAreas.find((d) => d.rings.some((r) => inside(centre, r))) ?? districtAreas[0]
    counters[home.code] = (counters[home.code] ?? 0) + 1
    const number = String(counters[home.code]).padStart(3, '0')
    return { code: `${home.code}000000${number}`, title: t(`${home.title.zh}${number}网格`, `${home.title.en} cell ${number}`), level: 'cell', parent: home.code, local: true, centre: { lon: centre[0], lat: centre[1] }, geometry: f.geometry }
  })
  const shape = (a) => ({ type: 'Feature', geometry: a.geometry, properties: { code: a.code, zh: a.title.zh, en: a.title.en } })
  const bare = ({ geometry, rings, ...area }) => area
  const busy = cellAreas.filter((c) => ['440303', '440304', '440305', '440306', '440309', '440307'].includes(c.parent))
  const place = () => {
    const cell = random() < 0.8 ? busy[Math.floor(random() * random() * busy.length)] : pick(cellAreas)
    return { area: cell.code, district: cell.parent, lon: cell.centre.lon + (random() - 0.5) * 0.012, lat: cell.centre.lat + (random() - 0.5) * 0.012 }
  }
  const title = (code) => (districtAreas.find((d) => d.code === code) ?? cellAreas.find((c) => c.code === code))?.title ?? null

  const entities = []
  const add = (type, id, name, series, values) => { const p = place(); entities.push({ id, entity_type: type, title: name, area: p.area, lon: p.lon, lat: p.lat, observed_at: iso(START - 20 * 60e3), values, series }) }
  ;['奥体中心', '昌平', '定陵', '东四', '官园', '古城', '怀柔', '农展馆', '顺义', '天坛', '万柳', '万寿西宫'].forEach((n, i) => add('AirQualityStation', `10${10 + i}A`, t(`${n}站`, `Station ${i + 1}`), 'beijing-air', { pm2_5: Math.round(40 + random() * 140), pm10: 120, so2: 12, no2: 60, co: 1100, o3: 40, temperature: 4.2, pressure: 1021, dew_point: -8, rain: 0, wind_speed: 1.8 }))
  for (let i = 0; i < 80; i++) add('MetroStation', `s${String(i).padStart(2, '0')}`, t(`地铁 ${i} 号站`, `Metro station ${i}`), 'hangzhou-metro', { entries: Math.round(random() * 500) })
  for (let i = 0; i < 334; i++) add('WasteContainer', `${1000 + i}`, t(`垃圾箱 ${1000 + i}`, `Bin ${1000 + i}`), 'edinburgh-bins', { fill_before: Math.round(random() * 100), fill_after: 0, volume_l: 1100, weight_kg: 14 })
  const entityTypes = [['AirQualityStation', '空气质量站', 'Air-quality stations', [['pm2_5', 'PM2.5', 'µg/m³']]], ['MetroStation', '地铁站', 'Metro stations', [['entries', '进站人数', 'persons/10 min']]], ['WasteContainer', '垃圾箱', 'Waste containers', [['fill_before', '清运前满溢度', '%'], ['fill_after', '清运后满溢度', '%']]]].map(([id, zh, en, properties]) => ({ id, title: t(zh, en), properties: properties.map(([p, name, unit]) => ({ id: p, title: t(name, name), unit, kind: 'number' })), count: entities.filter((e) => e.entity_type === id).length }))

  const matters = MATTERS.map(([code, czh, cen, zh, en]) => ({ key: `gbt47678-2026:matter:${code}`, standard: 'gbt47678-2026', kind: 'matter', code, class_code: code.slice(0, 2), class_title: t(czh, cen), title: t(zh, en) }))
  const stateOf = (id) => STATES.find((s) => s[0] === id)
  const departmentTitle = (id) => { const d = DEPARTMENTS.find((x) => x[0] === id); return d ? t(d[1], d[2]) : null }
  const cases = []
  const newCase = (opened, state, channel = pick(['citizen', 'citizen', 'hotline', 'collector', 'warning']), m = Math.floor(random() * MATTERS.length)) => {
    const p = place()
    const matter = MATTERS[m]
    const s = stateOf(state)
    const final = state === 'closed' || state === 'declined'
    const due = opened + pick([2, 4, 8, 24, 48]) * HOUR
    const closed = final ? Math.min(opened + random() * 10 * HOUR, now()) : null
    const sent = s[3] >= 4
    const left = due - now()
    const n = cases.length + 1
    const one = { id: `c${String(n).padStart(6, '0')}`, number: `SZ202603${String(9000 + n).padStart(6, '0')}`, title: `${matter[3]}：${title(p.district)?.zh ?? ''}${pick(['深南大道', '红荔路', '滨河大道', '梅林路', '宝安大道', '龙岗大道', '科苑路', '后海大道'])}${Math.ceil(random() * 300)}号`, state, state_title: t(s[1], s[2]), stage: s[3], flags: random() < 0.04 ? ['urgent'] : [], matter: matters[m].key, matter_title: matters[m].title, matter_class: matters[m].class_title, area: p.area, area_title: title(p.area), district: p.district, district_title: title(p.district), lon: p.lon, lat: p.lat, address: `${pick(['深南大道', '红荔路', '滨河大道', '梅林路'])} ${Math.ceil(random() * 300)} 号`, channel, external_number: null, department: sent ? matter[5] : null, department_title: sent ? departmentTitle(matter[5]) : null, handler: null, opened_at: iso(opened), updated_at: iso(closed ?? Math.min(opened + random() * 2 * HOUR, now())), due_at: sent ? iso(due) : null, light: final || !sent ? 'none' : left < 0 ? 'red' : left < HOUR ? 'yellow' : 'green', closed_at: closed ? iso(closed) : null, on_time: closed ? closed <= due : null, rework: random() < 0.05 ? 1 : 0, warning: null, series: channel === 'citizen' ? 'boston-311' : null, version: 3 }
    cases.push(one)
    return one
  }
  for (let i = 0; i < 1400; i++) newCase(START - random() ** 1.5 * 34 * HOUR, i % 5 < 3 ? 'closed' : pick(['reported', 'to_file', 'to_dispatch', 'to_handle', 'handling', 'handling', 'handling', 'to_review', 'to_inspect', 'to_close']))

  const warnings = []
  const newWarning = (raised, status = 'open', level = pick(['blue', 'blue', 'yellow', 'yellow', 'yellow', 'orange', 'red']), r = Math.floor(random() * RULES.length)) => {
    const [rule, zh, en, type, property, unit, department, matter, series, thresholds] = RULES[r]
    const e = pick(entities.filter((x) => x.entity_type === type)) ?? pick(entities)
    const lv = thresholds[level] ? level : 'yellow'
    const value = Math.round(thresholds[lv] * (1 + random() * 0.2))
    const link = random() < 0.7 ? pick(cases.filter((c) => !c.closed_at)) : null
    const one = { id: `w${String(warnings.length + 1).padStart(5, '0')}`, rule, rule_version: '1', title: t(zh, en), message: t(`${e.title.zh} ${zh}：${value} ${unit}（限值 ${thresholds[lv]}）`, `${e.title.en}: ${value} ${unit}, limit ${thresholds[lv]}`), entity: e.id, entity_type: type, entity_title: e.title, property, unit, level: lv, peak: lv, status, value, threshold: thresholds[lv], raised_at: iso(raised), updated_at: iso(raised + 600e3), cleared_at: status === 'cleared' ? iso(raised + HOUR) : null, acknowledged_at: null, acknowledged_by: null, area: e.area, district: e.area.slice(0, 6), lon: e.lon, lat: e.lat, department, matter: `gbt47678-2026:matter:${matter}`, series, case: link?.id ?? null, case_number: link?.number ?? null }
    if (link) link.warning = one.id
    warnings.push(one)
    return one
  }
  for (let i = 0; i < 260; i++) newWarning(START - random() * 30 * HOUR, i < 22 ? 'open' : 'cleared')
  warnings[0].level = warnings[0].peak = 'red'

  const has = (query, name, value) => !query.getAll(name).length || query.getAll(name).includes(String(value))
  const under = (query, area) => !query.get('area') || (area ?? '').startsWith(query.get('area'))
  const between = (value, from, to) => (!from || (value && value >= iso(Date.parse(from)))) && (!to || (value && value < iso(Date.parse(to))))
  const isOpen = (c) => !['closed', 'declined'].includes(c.state)

  const world = {
    posts: [['wang.lei', '王磊', 'Wang Lei', 'shift_leader', 'centre'], ['li.na', '李娜', 'Li Na', 'acceptor', 'centre'], ['chen.jie', '陈杰', 'Chen Jie', 'dispatcher', 'centre'], ['zhao.min', '赵敏', 'Zhao Min', 'department', 'urban'], ['sun.hao', '孙浩', 'Sun Hao', 'handler', 'sanitation'], ['zhou.yan', '周燕', 'Zhou Yan', 'leader', 'centre'], ['wu.gang', '吴刚', 'Wu Gang', 'analyst', 'centre']].map(([account, zh, en, post, department]) => ({ account, name: t(zh, en), posts: [post], department })),
    areas: [{ code: '4403', title: t('深圳市', 'Shenzhen'), level: 'city', parent: null, local: false, centre: { lon: 114.06, lat: 22.62 } }, ...districtAreas.map(bare), ...cellAreas.map(bare)],
    districts: { type: 'FeatureCollection', features: districtAreas.map(shape) },
    cells: { type: 'FeatureCollection', features: cellAreas.map(shape) },
    matters, entities, entityTypes, cases, warnings,
    states: STATES.map(([id, zh, en, stage]) => ({ id, title: t(zh, en), stage, final: id === 'closed' || id === 'declined' })),
    rules: RULES.map(([id, zh, en, type, property, , , , , thresholds]) => ({ id, version: '1', title: t(zh, en), entity_type: type, property, aggregate: 'mean', window_seconds: 3600, hold_seconds: 600, thresholds, open_warnings: 3, fired_total: 40, last_error: null })),
    drill: [['drill.acceptor', '受理员（演练）', 'Acceptor (drill)', 'acceptor', 'centre'], ['drill.dispatcher', '派遣员（演练）', 'Dispatcher (drill)', 'dispatcher', 'centre'], ...DEPARTMENTS.map(([id, zh, en]) => [`drill.${id}`, `${zh}（演练）`, `${en} (drill)`, 'department', id])].map(([account, zh, en, post, department], i) => ({ account, name: t(zh, en), posts: [post], department, playing: i !== 4, moves_made: Math.floor(random() * 300) })),
    clock: () => ({ now: iso(now()), speed, paced: true }),
    setSpeed: (next) => { anchor = { city: now(), real: Date.now() }; speed = next },
    freshness: () => ({ delay_seconds: 0.4, fresh: 3, total: 3 }),
    city: () => ({ id: 'demo', title: t('深圳市（演示）', 'Shenzhen (demo)'), timezone: 'Asia/Shanghai', language: 'zh', demo: true, map: { west: 113.75, south: 22.44, east: 114.63, north: 22.87 }, departments: [...DEPARTMENTS.map(([id, zh, en]) => ({ id, title: t(zh, en), short: null, code: null, kind: 'department' })), { id: 'centre', title: t('城运中心', 'City operations centre'), short: null, code: null, kind: 'centre' }], posts: [['acceptor', '受理员', 'Acceptor'], ['shift_leader', '值班长', 'Shift leader'], ['dispatcher', '派遣员', 'Dispatcher'], ['department', '专业部门', 'Department'], ['handler', '处置人员', 'Handler'], ['leader', '领导', 'Leader'], ['analyst', '分析员', 'Analyst']].map(([id, zh, en]) => ({ id, title: t(zh, en) })), series: SERIES.map(([id, zh, en, wzh, wen, when]) => ({ id, title: t(zh, en), measured_where: t(wzh, wen), measured_when: when, licence: 'CC BY 4.0', attribution: 'UCI', rule: t('站点按原相对位置放入深圳，时间平移到演示日。', 'Stations keep their relative places inside Shenzhen; times are shifted to the demo day.') })), clock: world.clock() }),
    feeds: () => ['air-hourly', 'metro-entries', 'bin-emptying'].map((id, i) => ({ id, title: t(id, id), entity_type: entityTypes[i].id, department: 'environment', series: SERIES[i][0], accepted: 1234, quarantined: 2, duplicate: 0, last_observed_at: iso(now() - 60e3), last_received_at: iso(now()), delay_seconds: 0.4, fresh: true })),
    entityPoints: (type) => ({ type: 'FeatureCollection', features: entities.filter((e) => !type || e.entity_type === type).map((e) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [e.lon, e.lat] }, properties: e })) }),
    casePoints: (rows) => ({ type: 'FeatureCollection', features: rows.slice(0, 5000).map((c) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [c.lon, c.lat] }, properties: { id: c.id, number: c.number, title: c.title, state: c.state, light: c.light, department: c.department } })) }),
    history: (entity, property) => ({ entity, property, unit: 'µg/m³', points: Array.from({ length: 24 }, (_, i) => [iso(now() - (24 - i) * HOUR), Math.round(60 + 50 * Math.sin(i / 4) + random() * 20), `r:${entity}:${i}`]) }),
    record: (id) => ({ record: id, entity: '1011A', observed_at: iso(START), received_at: iso(START), feed: 'air-hourly', series: 'beijing-air', measured_at: '2013-12-09T14:00:00+08:00', pm2_5: 168, pm10: 210 }),
    filterWarnings: (q) => warnings.filter((w) => has(q, 'status', w.status) && has(q, 'level', w.level) && has(q, 'rule', w.rule) && has(q, 'entity', w.entity) && has(q, 'series', w.series) && under(q, w.area) && between(w.raised_at, q.get('start'), q.get('end'))),
    warningDetail: (id) => {
      const w = warnings.find((x) => x.id === id)
      if (!w) return null
      const rule = RULES.find((r) => r[0] === w.rule)
      const end = Date.parse(w.raised_at)
      const points = Array.from({ length: 13 }, (_, i) => [iso(end - (12 - i) * 5 * 60e3), Math.round(w.value * (0.7 + (0.3 * i) / 12 + (random() - 0.5) * 0.05)), `air-hourly:${w.entity}:${i}`])
      return { ...w, evidence: { aggregate: 'mean', window_from: points[0][0], window_to: w.raised_at, thresholds: rule[9], hold_seconds: 600, points, trace: [{ zh: `窗口内 13 条记录，均值 ${w.value} ${w.unit}`, en: `window of 13 observations, mean ${w.value} ${w.unit}` }] }, history: [{ at: w.raised_at, what: 'raised', level: w.peak, value: w.value, reason: `${w.value} ≥ ${w.threshold}`, actor: null }, ...(w.acknowledged_at ? [{ at: w.acknowledged_at, what: 'acknowledged', level: null, value: null, reason: '', actor: w.acknowledged_by }] : []), ...(w.cleared_at ? [{ at: w.cleared_at, what: 'cleared', level: null, value: w.threshold * 0.8, reason: 'below the clearing line', actor: null }] : [])] }
    },
    acknowledge: (id, who) => { const w = warnings.find((x) => x.id === id); w.acknowledged_at ??= iso(now()); w.acknowledged_by ??= who; return w },
    filterCases: (q) => cases.filter((c) => has(q, 'state', c.state) && (q.get('open') === null || String(isOpen(c)) === q.get('open')) && has(q, 'department', c.department) && under(q, c.area) && has(q, 'matter', c.matter) && has(q, 'channel', c.channel) && has(q, 'light', c.light) && has(q, 'on_time', c.on_time) && has(q, 'series', c.series) && has(q, 'warning', c.warning) && (!q.get('text') || (c.number + c.title + c.address).includes(q.get('text'))) && between(c.opened_at, q.get('opened_from'), q.get('opened_to')) && (q.get('closed_from') || q.get('closed_to') ? between(c.closed_at, q.get('closed_from'), q.get('closed_to')) : true) && (q.get('mine') !== 'true' || c.state === 'to_dispatch')),
    caseDetail: (id) => {
      const c = cases.find((x) => x.id === id || x.number === id)
      if (!c) return null
      const opened = Date.parse(c.opened_at)
      const path = STATES.filter((s) => s[3] <= c.stage && s[0] !== 'declined').map((s) => s[0])
      const reached = path.slice(0, path.indexOf(c.state) + 1)
      const timeline = reached.map((state, i) => ({ seq: i + 1, at: iso(opened + i * 9 * 60e3), move: i ? MOVES[reached[i - 1]][0] : 'submit', title: i ? t(MOVES[reached[i - 1]][1], MOVES[reached[i - 1]][2]) : t('上报', 'Submit'), from_state: i ? reached[i - 1] : null, to_state: state, actor: i ? 'drill.acceptor' : 'drill.citizen', actor_name: i < 3 ? t('系统', 'System') : t('城管局（演练）', 'Urban management (drill)'), post: i ? 'acceptor' : null, department: i > 3 ? c.department : null, receiver: null, opinion: i === 3 ? '请按时限处置并上传结果。' : '', facts: i === 3 ? { department: c.department } : {}, used_seconds: i ? 540 : null, hash: `9f2c${i}ab${id.slice(-4)}77d0` }))
      const offer = MOVES[c.state]
      const moves = offer ? [{ move: offer[0], title: t(offer[1], offer[2]), to: offer[3], allowed: true, reasons: [], reason_needed: false, key: 'a', fields: offer[0] === 'dispatch' ? [{ name: 'department', title: t('主办部门', 'Lead department'), kind: 'department', required: true, choices: DEPARTMENTS.map(([d, zh, en]) => [d, t(zh, en)]) }] : [] }, { move: 'send_back', title: t('退回', 'Return'), to: 'reported', allowed: true, reasons: [], reason_needed: true, key: 'r', fields: [] }, { move: 'suspend', title: t('申请挂账', 'Ask for suspension'), to: 'suspended', allowed: false, reasons: [t('只有承办部门可以申请挂账', 'Only the handling department may ask for suspension')], reason_needed: true, key: 's', fields: [] }] : []
      return { ...c, description: '市民反映该处问题已持续两天，影响通行，请尽快处理。', reporter_name: '张*', reporter_phone: '138****1234', deadline: c.due_at ? { limit_text: '4 工作小时', due_at: c.due_at, provisional: false, light: c.light, used_seconds: 5400, left_seconds: Math.round((Date.parse(c.due_at) - now()) / 1000), calendar: 'cn-2026', explanation: t('从派遣起按工作时间计算：周一至周五 09:00–12:00、14:00–18:00，调休按 2026 年日历。', 'Counted in office hours from dispatch: Monday to Friday 09:00–12:00 and 14:00–18:00, calendar 2026.') } : null, dispatch_reason: c.department ? t(`${c.district_title?.zh}×${c.matter_title.zh}：由${c.department_title?.zh}负责（responsibility.yaml 第 12 行）`, `${c.district_title?.en} × ${c.matter_title.en}: ${c.department_title?.en} is responsible (responsibility.yaml line 12)`) : null, timeline, moves, nearby: cases.filter((x) => x.matter === c.matter && x.id !== c.id && isOpen(x)).slice(0, 2) }
    },
    report: (body) => { const c = newCase(now(), 'reported', body.channel); Object.assign(c, { title: body.title, lon: body.position.lon, lat: body.position.lat, address: body.address ?? '' }); return c },
    move: (c, body) => { const next = MOVES[c.state]?.[0] === body.move ? MOVES[c.state][3] : 'reported'; const s = stateOf(next); Object.assign(c, { state: next, state_title: t(s[1], s[2]), stage: s[3], version: c.version + 1, updated_at: iso(now()) }); if (body.fields?.department) Object.assign(c, { department: body.fields.department, department_title: departmentTitle(body.fields.department), due_at: iso(now() + 4 * HOUR), light: 'green' }); if (next === 'closed') Object.assign(c, { closed_at: iso(now()), on_time: true, light: 'none' }) },
    model: { metrics: [['cases_opened', '上报数', 'Cases opened', '件', 'integer', null], ['cases_closed', '结案数', 'Cases closed', '件', 'integer', true], ['on_time_rate', '按期结案率', 'On-time rate', '%', 'percent', true], ['median_handling_time', '处置时长中位数', 'Median handling time', 's', 'duration', false], ['warnings_raised', '预警数', 'Warnings raised', '条', 'integer', false]].map(([id, zh, en, unit, format, better]) => ({ id, title: t(zh, en), description: t(zh, en), unit, format, higher_is_better: better, dimensions: ['district', 'department', 'matter_class', 'level'] })), dimensions: [] },
    query: (q) => {
      const end = q.end ? Date.parse(q.end) : now()
      const start = q.start ? Date.parse(q.start) : end - 30 * HOUR
      const step = q.grain === 'day' ? 24 * HOUR : HOUR
      const value = (metric, i, lv) => { const wave = 0.5 + 0.5 * Math.sin((((START - start) / HOUR + i) % 24) / 4); return metric === 'on_time_rate' ? 0.9 + random() * 0.09 : metric === 'median_handling_time' ? 7200 + random() * 9000 : Math.round((metric === 'cases_opened' ? 40 : metric === 'cases_closed' ? 34 : { red: 1, orange: 3, yellow: 6, blue: 8 }[lv] ?? 18) * wave * (0.7 + random() * 0.6)) }
      const columns = []
      if (q.grain) columns.push({ id: 'time', title: t('时间', 'Time'), role: 'time', unit: '', format: '' })
      for (const d of q.dimensions ?? []) columns.push({ id: d, title: t(d, d), role: 'dimension', unit: '', format: '' })
      for (const m of q.metrics) { const v = world.model.metrics.find((x) => x.id === m); columns.push({ id: m, title: v.title, role: 'metric', unit: v.unit, format: v.format }) }
      if (q.compare === 'previous_period') for (const m of q.metrics) columns.push({ id: `${m}__previous`, title: t('上期', 'Previous'), role: 'previous', unit: '', format: '' })
      const times = []
      if (q.grain) for (let at = Math.floor(start / step) * step; at < end; at += step) times.push(iso(at))
      else times.push(null)
      const labels = { department: Object.fromEntries(DEPARTMENTS.map(([id, zh, en]) => [id, t(zh, en)])), level: { red: t('红色', 'Red'), orange: t('橙色', 'Orange'), yellow: t('黄色', 'Yellow'), blue: t('蓝色', 'Blue') }, matter_class: Object.fromEntries(matters.map((m) => [m.class_code, m.class_title])) }
      const members = (d) => Object.keys(labels[d] ?? { x: 1 })
      let rows = []
      times.forEach((at, i) => { const dims = (q.dimensions ?? []).map(members).reduce((acc, list) => acc.flatMap((a) => list.map((m) => [...a, m])), [[]]); for (const d of dims) { const metrics = q.metrics.map((m) => (m === 'on_time_rate' && d[0] === 'housing' ? null : value(m, i, d[0]) * (q.grain || d.length ? 1 : m === 'on_time_rate' || m === 'median_handling_time' ? 1 : 18))); rows.push([...(q.grain ? [at] : []), ...d, ...metrics, ...(q.compare === 'previous_period' ? metrics.map((v) => (v === null ? null : v * (0.85 + random() * 0.3))) : [])]) } })
      return { columns, rows, labels, freshness: iso(now() - 20e3), truncated: false, sql: 'SELECT …', scope: ['case by post shift_leader'] }
    },
    step: () => { if (random() < 0.25) return ['warning', newWarning(now())]; if (random() < 0.5) return ['case', newCase(now(), 'reported')]; const c = pick(cases.filter(isOpen)); if (MOVES[c.state]) world.move(c, { move: MOVES[c.state][0] }); return ['case', c] },
  }
  return world
}
