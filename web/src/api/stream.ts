/**
 * Live events. One tab of the browser holds the connection and passes events on to the others;
 * where the browser has no locks (plain http on a foreign host) every tab holds its own.
 */
export type LiveState = 'connecting' | 'live' | 'lost'
export type LiveEvent = { name: string; data: unknown }
type Message = { state: LiveState } | { event: LiveEvent } | { ask: 'state' | 'reopen' }

const EVENTS = ['warning', 'case', 'command', 'run', 'task', 'clock', 'feeds', 'reset'] as const
const CHANNEL = 'cityloop.stream'
const RETRY_MS = [1000, 2000, 4000, 8000, 15000]

/** Milliseconds to wait before the n-th new attempt. */
export function retryAfter(attempt: number): number {
  return RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] as number
}

export class Stream {
  private source: EventSource | null = null
  private channel: BroadcastChannel | null = null
  private attempt = 0
  private timer: number | undefined
  private release: (() => void) | null = null
  private state: LiveState = 'connecting'
  private stopped = true

  constructor(
    private readonly url: string,
    private readonly onEvent: (event: LiveEvent) => void,
    private readonly onState: (state: LiveState) => void,
  ) {}

  start(): void {
    this.stop()
    this.stopped = false
    if (!('locks' in navigator) || !('BroadcastChannel' in window)) return this.open()
    this.channel = new BroadcastChannel(CHANNEL)
    this.channel.onmessage = (message: MessageEvent<Message>) => this.hear(message.data)
    this.channel.postMessage({ ask: 'reopen' } satisfies Message)
    void navigator.locks.request(CHANNEL, () => this.lead())
  }

  stop(): void {
    this.stopped = true
    window.clearTimeout(this.timer)
    this.source?.close()
    this.source = null
    this.channel?.close()
    this.channel = null
    this.release?.()
    this.release = null
  }

  /** Hold the lock, and with it the connection, until this tab stops. */
  private lead(): Promise<void> | undefined {
    if (this.stopped) return undefined
    this.open()
    return new Promise<void>((resolve) => {
      this.release = resolve
    })
  }

  private hear(message: Message): void {
    if ('ask' in message) {
      if (!this.source) return
      if (message.ask === 'reopen') this.open()
      else this.say(this.state)
    } else if (!this.source) {
      if ('state' in message) this.onState(message.state)
      else this.onEvent(message.event)
    }
  }

  private open(): void {
    this.source?.close()
    this.say('connecting')
    const source = new EventSource(this.url)
    this.source = source
    source.onopen = () => {
      // After a gap, whatever happened in between is fetched anew.
      if (this.attempt > 0) this.pass({ name: 'reset', data: null })
      this.attempt = 0
      this.say('live')
    }
    source.onerror = () => this.retry()
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => this.pass({ name, data: parsed((event as MessageEvent<string>).data) }))
    }
  }

  private retry(): void {
    if (this.stopped) return
    this.source?.close()
    this.say('lost')
    window.clearTimeout(this.timer)
    this.timer = window.setTimeout(() => this.open(), retryAfter(this.attempt++))
  }

  private pass(event: LiveEvent): void {
    this.onEvent(event)
    this.channel?.postMessage({ event } satisfies Message)
  }

  private say(state: LiveState): void {
    this.state = state
    this.onState(state)
    this.channel?.postMessage({ state } satisfies Message)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
