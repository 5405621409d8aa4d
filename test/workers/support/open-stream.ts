/** A stream of checks that is still being written while its results are read, in the context of the test. */
import type { Env } from '../../../workers/env.ts';
import { fetchHere, request } from './send.ts';

export class OpenStream {
  readonly response: Response;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(response: Response, writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.response = response;
    this.#writer = writer;
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  static async start(client = 'open', bindings: Partial<Env> = {}, type = 'text/plain'): Promise<OpenStream> {
    const { readable, writable } = new IdentityTransformStream();
    const { url, headers } = request({
      path: '/v1/check/stream',
      client,
      headers: { 'content-type': type },
    });
    const streamRequest = new Request(url, { method: 'POST', headers, body: readable });
    return new OpenStream(await fetchHere(streamRequest, bindings), writable.getWriter());
  }

  /** Sends lines without waiting for them to be read. */
  send(...lines: string[]): void {
    this.#writer
      .write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')))
      .catch(() => undefined);
  }

  /** Reads the next lines that arrive; '' at the end. */
  async read(): Promise<string> {
    const { value } = await this.#reader.read();
    return new TextDecoder().decode(value).trimEnd();
  }

  async check(line: string): Promise<string> {
    this.send(line);
    return this.read();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
  }
}
