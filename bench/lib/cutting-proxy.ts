/** An HTTP proxy that counts the feed pages that it returns, and breaks connections on request. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onExit } from './cleanup.ts';

export class CuttingProxy {
  readonly #target: string;
  readonly #server: Server;
  #pages = 0;
  #cuts = 0;
  #waiting: { readonly pages: number; readonly reached: () => void }[] = [];

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      const abort = new AbortController();
      response.on('close', () => abort.abort());
      void this.#forward(request.url!, request.headers.authorization ?? '', abort.signal)
        .then(async (answer) => {
          const body = Buffer.from(await answer.arrayBuffer());
          if (this.#cuts > 0 && body.length > 1) {
            this.#cuts--;
            response.writeHead(answer.status, { 'content-length': body.length });
            response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
            return;
          }
          response.writeHead(answer.status, {
            'content-type': answer.headers.get('content-type') ?? '',
            ...(answer.headers.has('retry-after')
              ? { 'retry-after': answer.headers.get('retry-after')! }
              : {}),
          });
          response.end(body);
          if (request.url!.includes('lastEventId')) this.#count();
        })
        .catch(() => request.socket.destroy());
    });
    onExit(() => this.#server.close());
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves after this many further pages. */
  afterPages(pages: number): Promise<void> {
    return new Promise((reached) => this.#waiting.push({ pages: this.#pages + pages, reached }));
  }

  /** Cuts off each of the next responses in the middle of its body. */
  cutNext(responses: number): void {
    this.#cuts = responses;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #forward(path: string, authorization: string, signal: AbortSignal): Promise<Response> {
    return fetch(`${this.#target}${path}`, { headers: { authorization }, signal });
  }

  #count(): void {
    this.#pages++;
    this.#waiting = this.#waiting.filter(({ pages, reached }) => {
      if (pages <= this.#pages) reached();
      return pages > this.#pages;
    });
  }
}
