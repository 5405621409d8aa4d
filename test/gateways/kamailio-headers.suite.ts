/** A Kamailio that joins headers (support/joined-headers.cfg), between sipp as the caller, a next hop and the real service. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Gateway, missing, TO } from './support/ends.ts';

const run = promisify(execFile);
const CONFIG = fileURLToPath(new URL('support/joined-headers.cfg', import.meta.url));
const CALL = fileURLToPath(new URL('../../examples/kamailio/call.xml', import.meta.url));

describe.skipIf(missing !== null)('a Kamailio that joins headers', () => {
  const gateway = new Gateway({ config: CONFIG });

  /** Makes one call with sipp, which fails unless the call is answered or refused with 603. @returns the methods that arrive */
  async function callWith(from: string, to: string): Promise<string[]> {
    const before = gateway.ends.nextHop.got.length;
    const numbers = ['-key', 'caller', from, '-s', to];
    const where = ['-i', '127.0.0.1', '-m', '1', `127.0.0.1:${gateway.kamailio.port}`];
    await run('sipp', ['-sf', CALL, ...numbers, ...where], { env: { ...process.env, TERM: 'xterm' } });
    return gateway.ends.nextHop.got.slice(before).map(({ start }) => start.split(' ')[0]!);
  }

  it('passes an allowed call', async () => {
    const arrived = await callWith('+821000000024', TO);
    expect(gateway.kamailio.logged()).toContain('answered: 200 allow');
    expect(new Set(arrived)).toEqual(new Set(['INVITE', 'ACK', 'BYE']));
  });

  it.each([
    ['a Korean number from abroad', '+82212345678', TO],
    ['a call to a listed number', '+639171234567', '+821020000001'],
  ])('refuses %s', async (_what, from, to) => {
    expect(await callWith(from, to)).toEqual([]);
    expect(gateway.kamailio.logged()).toContain('answered: 200 block');
  });
});
