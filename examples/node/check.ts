/**
 * `node check.ts <from> [to]`: sends one request, as for a text from abroad, and prints the response. The
 * environment configures it: NUMGATE_URL, NUMGATE_KEY, FAIL_POLICY (open or closed), and DEADLINE_MS, the
 * longest wait for a response.
 */
import { makeClient } from './client.ts';

const [from, to] = process.argv.slice(2);
const { NUMGATE_URL: url = 'http://localhost:8787', NUMGATE_KEY: key, FAIL_POLICY } = process.env;
const deadlineMs = Number(process.env.DEADLINE_MS ?? 1_000);
if (from === undefined || from.startsWith('-') || key === undefined) {
  process.stderr.write('NUMGATE_KEY=… node check.ts <from> [to]\n');
  process.exit(2);
}
const failPolicy = FAIL_POLICY === 'closed' ? 'closed' : 'open';
const client = makeClient({ url, key, failPolicy, timeoutMs: Math.ceil(deadlineMs / 2), deadlineMs });
const answer = await client.checkGateway({
  from,
  ...(to === undefined ? {} : { to }),
  channel: 'sms',
  ingress: { type: 'international' },
});
process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
