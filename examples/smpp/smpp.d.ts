/** Types for the used part of the package `smpp`, which has no types of its own. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server, Socket } from 'node:net';

  type Fields = Readonly<Record<string, unknown>>;

  export class PDU {
    constructor(command: string | Buffer, fields?: Fields);
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    readonly [field: string]: unknown;
    isResponse(): boolean;
    response(fields?: Fields): PDU;
    toBuffer(): Buffer;
  }

  export interface Session extends EventEmitter {
    readonly socket: Socket;
    send(pdu: PDU, onResponse?: (pdu: PDU) => void): boolean;
    close(onClosed?: () => void): void;
    destroy(onClosed?: () => void): void;
  }

  const smpp: {
    readonly PDU: typeof PDU;
    readonly commands: Readonly<Record<string, { readonly id: number }>>;
    readonly commandsById: Readonly<Record<number, { readonly command: string }>>;
    readonly errors: Readonly<Record<string, number>>;
    /** `ASCII` is the GSM alphabet. */
    readonly encodings: Readonly<
      Record<'ASCII' | 'LATIN1' | 'UCS2', { encode(text: string): Buffer; decode(octets: Buffer): string }>
    >;
    createServer(onSession: (session: Session) => void): Server;
    createServer(
      tls: { readonly cert: Buffer; readonly key: Buffer },
      onSession: (session: Session) => void,
    ): Server;
    connect(
      to: { readonly host: string; readonly port: number; readonly tls?: boolean; readonly ca?: Buffer },
      onConnect?: () => void,
    ): Session;
  };
  export default smpp;
}
