/** The queue of a phone: what waits to be sent, sent when the network is there, and what was refused. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { useSession } from '../access/session'
import { call, formOf } from '../api/call'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/types'
import { type Fate, sendAll, type Server } from './sending'
import { dropJob, type Job, jobsOf, putJob } from './store'

const EVERY_MS = 20_000

const server: Server = {
  upload: async ({ blob, kind }, on) => {
    const form = formOf({ file: new File([blob], `${kind}.jpg`, { type: blob.type }), kind })
    return (await call<Schemas['AttachmentView']>('POST', on ? `/cases/${on}/attachments` : '/attachments', { form })).hash
  },
  report: (report) => ask(api.POST('/api/v1/cases', { body: report as never })),
  read: (id) => ask(api.GET('/api/v1/cases/{case}', { params: { path: { case: id } } })),
  move: (id, body) => ask(api.POST('/api/v1/cases/{case}/moves', { params: { path: { case: id } }, body })),
  keep: putJob,
}

/** A deep copy without the proxies of the screen, which the store of the browser cannot hold. */
function plain(job: Job): Job {
  return { ...job, pictures: job.pictures.map((one) => ({ ...one })) }
}

export const useOutbox = defineStore('outbox', () => {
  const session = useSession()
  const jobs = shallowRef<Job[]>([])
  const sending = ref(false)
  const sent = ref(0)
  let timer: number | undefined

  const waiting = computed(() => jobs.value.filter((job) => job.state === 'waiting').length)
  const refused = computed(() => jobs.value.filter((job) => job.state === 'refused').length)

  async function load(): Promise<void> {
    jobs.value = await jobsOf(session.actor?.id ?? '')
  }

  async function add(job: Job): Promise<void> {
    await putJob(plain(job))
    await load()
    void flush()
  }

  async function told(job: Job, fate: Fate, why: string): Promise<void> {
    if (fate === 'sent') {
      await dropJob(job.id)
      sent.value += 1
    } else await putJob(plain({ ...job, why, state: fate === 'refused' ? 'refused' : 'waiting' }))
    await load()
  }

  async function flush(): Promise<void> {
    if (sending.value) return
    sending.value = true
    try {
      await sendAll(jobs.value.map(plain), server, told)
    } finally {
      sending.value = false
    }
  }

  async function again(job: Job): Promise<void> {
    await putJob(plain({ ...job, state: 'waiting', why: '' }))
    await load()
    await flush()
  }

  async function drop(job: Job): Promise<void> {
    await dropJob(job.id)
    await load()
  }

  const wake = (): void => void flush()
  async function start(): Promise<void> {
    await load()
    window.addEventListener('online', wake)
    timer = window.setInterval(() => waiting.value && wake(), EVERY_MS)
    wake()
  }
  function stop(): void {
    window.removeEventListener('online', wake)
    window.clearInterval(timer)
  }

  return { jobs, sending, sent, waiting, refused, add, flush, again, drop, start, stop }
})
