/**
 * One end of SIP over UDP (RFC 3261) on loopback, as far as tests and benches need it. It sends requests, answers incoming
 * requests, and keeps all received messages. It never retransmits, because loopback loses nothing.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface SipMessage {
  /** Request line or status line. */
  readonly start: string;
  /** 0 for a request. */
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface SipRequest {
  readonly method: 'INVITE' | 'MESSAGE' | 'OPTIONS' | 'BYE' | 'ACK' | 'CANCEL';
  /** Value of From, without its tag. */
  readonly from: string;
  /** User of the request line and of To. */
  readonly to: string;
  /** The request URI, if it differs: within a call, the Contact of the called party. */
  readonly target?: string;
  /** Further headers. A header of this name replaces the generated one. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Plain text in UTF-8, unless a header says otherwise. */
  readonly body?: string | Buffer;
  readonly transport?: 'UDP' | 'TCP' | 'TLS';
}

/** A message that has not arrived by then never arrives, even on a busy machine, so the wait fails. In ms. */
const WAIT_MS = 100_000;
/** RFC 3261, 8.1.1.7. */
const BRANCH_COOKIE = 'z9hG4bK';

export function parseSip(datagram: Buffer): SipMessage {
  const text = datagram.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  const status = Number(/^SIP\/2\.0 (\d{3}) /.exec(start)?.[1] ?? 0);
  return { start, status, headers, body: text.slice(end + 4) };
}

/** The first header of this name, or null. */
export function headerOf({ headers }: SipMessage, name: string): string | null {
  return headersOf(headers, name)[0] ?? null;
}

function headersOf(headers: SipMessage['headers'], name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

interface Waiting {
  readonly fits: (message: SipMessage) => boolean;
  readonly found: (message: SipMessage) => void;
}

export class SipEnd {
  readonly port: number;
  /** All received messages, in order. */
  readonly got: SipMessage[] = [];
  readonly #socket: Socket;
  readonly #waiting = new Set<Waiting>();
  #requests = 0;

  /** @param answering whether to answer incoming requests with 200, like a called party */
  static async open(answering: boolean): Promise<SipEnd> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SipEnd(socket, answering);
  }

  private constructor(socket: Socket, answering: boolean) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (datagram, { port }) => {
      const message = parseSip(datagram);
      this.got.push(message);
      if (answering && message.status === 0 && !message.start.startsWith('ACK ')) {
        this.sendText(this.#accepted(message), port);
      }
      for (const waiting of this.#waiting) if (waiting.fits(message)) waiting.found(message);
    });
  }

  sendText(text: string | Buffer, port: number): void {
    this.#socket.send(text, port, '127.0.0.1');
  }

  /** The first matching message, received earlier or later. Rejects if none comes. */
  message(fits: (message: SipMessage) => boolean): Promise<SipMessage> {
    const before = this.got.find(fits);
    if (before !== undefined) return Promise.resolve(before);
    const { promise, resolve, reject } = Promise.withResolvers<SipMessage>();
    const late = setTimeout(() => reject(new Error('no such SIP message came')), WAIT_MS);
    const waiting = { fits, found: resolve };
    this.#waiting.add(waiting);
    return promise.finally(() => {
      clearTimeout(late);
      this.#waiting.delete(waiting);
    });
  }

  /** @returns the request as text and as octets, and a function that recognises its answers */
  written(request: SipRequest): {
    text: string;
    octets: Buffer;
    answers: (message: SipMessage) => boolean;
  } {
    const { method, from, to, headers = {}, body = '', transport = 'UDP' } = request;
    const target = request.target ?? `sip:${to}@127.0.0.1`;
    const id = `${process.pid}-${this.port}-${++this.#requests}`;
    const made: Record<string, string> = {
      Via: `SIP/2.0/${transport} 127.0.0.1:${this.port};branch=${BRANCH_COOKIE}${id}`,
      'Max-Forwards': '70',
      From: `${from};tag=${id}`,
      To: `<sip:${to}@127.0.0.1>`,
      'Call-ID': id,
      CSeq: `1 ${method}`,
      Contact: `<sip:127.0.0.1:${this.port}>`,
      ...(body === '' ? {} : { 'Content-Type': 'text/plain' }),
      ...headers,
      'Content-Length': String(Buffer.byteLength(body)),
    };
    const lines = Object.entries(made).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `${method} ${target} SIP/2.0\r\n${lines.join('')}\r\n`;
    const text = head + body;
    const octets = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
    const answers = (message: SipMessage): boolean =>
      message.status > 0 && ['Call-ID', 'CSeq'].every((name) => headerOf(message, name) === made[name]);
    return { text, octets, answers };
  }

  /** Sends a request. @returns the final answer, which is acknowledged if necessary */
  async request(request: SipRequest, port: number): Promise<SipMessage> {
    const { text, octets, answers } = this.written(request);
    this.#socket.send(octets, port, '127.0.0.1');
    const answer = await this.message((message) => message.status >= 200 && answers(message));
    if (request.method === 'INVITE' && answer.status >= 300) {
      const to = `To: ${headerOf(answer, 'To')}`;
      this.sendText(text.replaceAll('INVITE', 'ACK').replace(/^To: .*$/m, to), port);
    }
    return answer;
  }

  close(): void {
    this.#socket.close();
  }

  #accepted({ headers }: SipMessage): string {
    const copied = headers
      .filter(([name]) => /^(via|from|to|call-id|cseq|record-route)$/i.test(name))
      .map(([name, value]) => {
        const isNew = name.toLowerCase() === 'to' && !value.includes(';tag=');
        return `${name}: ${value}${isNew ? `;tag=${this.port}` : ''}\r\n`;
      });
    const contact = `Contact: <sip:127.0.0.1:${this.port}>\r\n`;
    return `SIP/2.0 200 OK\r\n${copied.join('')}${contact}Content-Length: 0\r\n\r\n`;
  }
}
