/**
 * `node check.ts <from> [to]`: ask once, as for a text that comes in from abroad, and print the answer.
 * The environment says where and who: NUMGATE_URL, NUMGATE_KEY, and FAIL_POLICY (open or closed).
 */
import { makeClient } from './client.ts';

const [from, to] = process.argv.slice(2);
const { NUMGATE_URL: url = 'http://localhost:8787', NUMGATE_KEY: key, FAIL_POLICY } = process.env;
if (from === undefined || from.startsWith('-') || key === undefined) {
  process.stderr.write('NUMGATE_KEY=… node check.ts <from> [to]\n');
  process.exit(2);
}
const client = makeClient({ url, key, failPolicy: FAIL_POLICY === 'closed' ? 'closed' : 'open' });
const answer = await client.gatewayCheck({
  from,
  ...(to === undefined ? {} : { to }),
  channel: 'sms',
  ingress: { type: 'international' },
});
process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
