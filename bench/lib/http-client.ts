/** A minimal HTTP client: one persistent connection, prepared bodies, responses as bytes. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #headers: Readonly<Record<string, string>>;

  /** @param headers of every request */
  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = headers;
  }

  /** Sends a body and reads the whole response. @throws if the status is not 200 */
  async send(method: 'POST' | 'PUT', url: string, body: Buffer): Promise<Buffer> {
    const headers = { ...this.#headers, 'content-length': body.length };
    const sending = request(url, { method, agent: this.#agent, headers });
    sending.end(body);
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    const whole = await buffer(response);
    if (response.statusCode !== 200) throw new Error(`${url} returned ${response.statusCode}: ${whole}`);
    return whole;
  }

  close(): void {
    this.#agent.destroy();
  }
}
