/** Memory of an isolate, through the inspector of its engine (Chrome DevTools protocol). */
import { once } from 'node:events';

/** A message from the inspector. */
interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A node of a sampling heap profile. */
interface HeapNode {
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Memory of an isolate, in bytes. */
export interface HeapUsage {
  /** JavaScript values. */
  readonly usedSize: number;
  /** Memory of array buffers outside the heap. */
  readonly backingStorageSize: number;
  /** Memory that the runtime holds for JavaScript values. */
  readonly embedderHeapUsedSize: number;
}

/** Chrome DevTools protocol connection to the isolate of the Worker. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) return;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
  }

  static async open(url: URL): Promise<Inspector> {
    const listed = await fetch(new URL('/json', url.href.replace(/^ws/, 'http')));
    const [target] = (await listed.json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target!.webSocketDebuggerUrl);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  async #call<Result>(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#lastId;
    const response = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await response;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  /** Memory of the isolate after a full garbage collection. */
  async heap(): Promise<HeapUsage> {
    // A snapshot collects all garbage first. An idle runtime does not respond to a plain collection request.
    await this.#call('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    return this.#call('Runtime.getHeapUsage');
  }

  /** Memory of the isolate now, including garbage. */
  heapNow(): Promise<HeapUsage> {
    return this.#call('Runtime.getHeapUsage');
  }

  /** Bytes that `run` allocates in the heap, including garbage. The figure is sampled. */
  async allocated(run: () => Promise<unknown>): Promise<number> {
    await this.#call('HeapProfiler.enable');
    await this.#call('HeapProfiler.startSampling', {
      samplingInterval: 4_096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await run();
    const { profile } = await this.#call<{ profile: { head: HeapNode } }>('HeapProfiler.stopSampling');
    const sum = ({ selfSize, children }: HeapNode): number =>
      children.reduce((total, child) => total + sum(child), selfSize);
    return sum(profile.head);
  }

  close(): void {
    this.#socket.close();
  }
}
