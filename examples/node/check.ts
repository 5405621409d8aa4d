/**
 * `node check.ts <from> [to]`: ask once, as for a text that comes in from abroad, and print the answer.
 * The environment says where and who: NUMGATE_URL, NUMGATE_KEY; FAIL_POLICY (open or closed); and DEADLINE_MS,
 * the longest wait for an answer.
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
const answer = await client.gatewayCheck({
  from,
  ...(to === undefined ? {} : { to }),
  channel: 'sms',
  ingress: { type: 'international' },
});
process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
