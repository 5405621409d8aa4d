/**
 * A Kamailio that joins headers (support/joined-headers.cfg), between sipp as the caller, a next hop and the
 * real service.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ends, missing, TO } from './support/ends.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { type GatewayService, startGatewayService } from './support/service.ts';

const run = promisify(execFile);
const CONFIG = fileURLToPath(new URL('support/joined-headers.cfg', import.meta.url));
const CALL = fileURLToPath(new URL('../../examples/kamailio/call.xml', import.meta.url));

describe.skipIf(missing !== null)('a kamailio that joins headers', () => {
  let ends: Ends;
  let service: GatewayService;
  let kamailio: Kamailio;
  beforeAll(async () => {
    ends = await Ends.open();
    service = await startGatewayService();
    kamailio = await startKamailio({ ...service, nextHop: ends.nextHop.port, config: CONFIG });
  });
  afterAll(async () => {
    await kamailio?.stop();
    await service?.stop();
    ends?.close();
  });

  /** One call of sipp, which fails where it is neither answered nor refused with 603. @returns what arrives */
  async function called(from: string, to: string): Promise<string[]> {
    const before = ends.nextHop.got.length;
    const numbers = ['-key', 'caller', from, '-s', to];
    const where = ['-i', '127.0.0.1', '-m', '1', `127.0.0.1:${kamailio.port}`];
    await run('sipp', ['-sf', CALL, ...numbers, ...where], { env: { ...process.env, TERM: 'xterm' } });
    return ends.nextHop.got.slice(before).map(({ start }) => start.split(' ')[0]!);
  }

  it('passes a call that is allowed', async () => {
    const arrived = await called('+821000000024', TO);
    expect(kamailio.logged()).toContain('answered: 200 allow');
    expect(new Set(arrived)).toEqual(new Set(['INVITE', 'ACK', 'BYE']));
  });

  it.each([
    ['a Korean number from abroad', '+82212345678', TO],
    ['a call to a listed number', '+639171234567', '+821020000001'],
  ])('refuses %s', async (_what, from, to) => {
    expect(await called(from, to)).toEqual([]);
    expect(kamailio.logged()).toContain('answered: 200 block');
  });
});
