/**
 * Identifies the service of this installation. The process of `npm start` answers a challenge with a MAC. The MAC covers the
 * port of the service, and only the claim on the state holds its key. So a claim that outlived its process, or any other
 * service, proves nothing.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { CommandFailure } from '../failure.ts';
import { localToken } from '../secrets.ts';
import { type Claim, claimant, recordClaim } from './state-claim.ts';

const HOST = '127.0.0.1';
const CHALLENGE_BYTES = 32;
const KEY_BYTES = 32;
/** How long a proof may take, in ms. The process may be busy. */
const PROOF_WAIT_MS = 10_000;

/**
 * Records the port of the running service, and proves it to every command from now on.
 * @returns a function that ends the proof; call it before the service ends, because another service can get the port then
 */
export async function proveService(port: number): Promise<() => void> {
  const key = randomBytes(KEY_BYTES).toString('hex');
  const server = createServer((socket) => answer(socket, { key, port }, () => server.listening)).unref();
  server.listen(0, HOST);
  await once(server, 'listening');
  recordClaim({ pid: process.pid, port, proof: { port: (server.address() as AddressInfo).port, key } });
  return () => void server.close();
}

/** @param mayAnswer whether the service still runs */
function answer(socket: Socket, secret: ProofSecret, mayAnswer: () => boolean): void {
  socket.setTimeout(PROOF_WAIT_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('readable', () => {
    const challenge = socket.read(CHALLENGE_BYTES) as Buffer | null;
    if (challenge === null) return;
    if (mayAnswer()) socket.end(macOf(challenge, secret));
    else socket.end();
  });
}

/**
 * The admin token of this installation, for its own service only.
 * @throws CommandFailure that names the service, if another service is at this URL
 */
export async function localTokenFor(url: string): Promise<string> {
  const running = await provenPort();
  if (running === Number(new URL(url).port)) return localToken();
  const instead =
    running === null
      ? 'no such service is running. Start it with npm start'
      : `that service runs at http://localhost:${running}. Set NUMGATE_URL to it`;
  throw new CommandFailure(
    `NUMGATE_TOKEN is not set, and ${url} is not the service of this installation: ${instead}, or set NUMGATE_TOKEN`,
  );
}

/** The port of the running service of this installation, or null if no service proves its identity. */
async function provenPort(): Promise<number | null> {
  const claim = claimant();
  return claim !== null && (await isProven(claim).catch(() => false)) ? claim.port : null;
}

async function isProven({ port, proof }: Claim): Promise<boolean> {
  if (proof === undefined) return false;
  const challenge = randomBytes(CHALLENGE_BYTES);
  const due = macOf(challenge, { key: proof.key, port });
  const socket = connect(proof.port, HOST);
  socket.setTimeout(PROOF_WAIT_MS, () => socket.destroy());
  socket.write(challenge);
  let reply = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    reply = Buffer.concat([reply, chunk]);
    if (reply.length > due.length) return false;
  }
  return reply.length === due.length && timingSafeEqual(reply, due);
}

interface ProofSecret {
  /** Key of the MAC, in hex. */
  readonly key: string;
  /** Port of the service. */
  readonly port: number;
}

function macOf(challenge: Buffer, { key, port }: ProofSecret): Buffer {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(`numgate ${port} `).update(challenge).digest();
}
