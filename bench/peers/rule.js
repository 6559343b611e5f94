// The job as a function node: 15-minute mean of an entity in 10-second buckets, threshold with hysteresis, alert out.
const STEP = 10000, SPAN = 90, LIMIT = 75, MARGIN = 10;
const rings = context.get("rings") || new Map();
context.set("rings", rings);
const record = JSON.parse(msg.payload);
const bucket = Math.floor(Date.parse(record.time) / STEP);
let ring = rings.get(record.station);
if (!ring) {
    ring = { head: bucket, count: new Int32Array(SPAN), total: new Float64Array(SPAN), open: false };
    rings.set(record.station, ring);
}
for (let next = Math.max(ring.head + 1, bucket - SPAN + 1); next <= bucket; next++) {
    ring.count[next % SPAN] = 0;
    ring.total[next % SPAN] = 0;
}
ring.head = Math.max(ring.head, bucket);
if (bucket <= ring.head - SPAN) return null;
ring.count[bucket % SPAN] += 1;
ring.total[bucket % SPAN] += record["PM2.5"];
let count = 0, total = 0;
for (let slot = 0; slot < SPAN; slot++) {
    count += ring.count[slot];
    total += ring.total[slot];
}
const mean = total / count;
if (!ring.open && mean >= LIMIT) {
    ring.open = true;
    return { topic: "alerts", payload: JSON.stringify({ entity: record.station, mean }) };
}
if (ring.open && mean < LIMIT - MARGIN) ring.open = false;
return null;
