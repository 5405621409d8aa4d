/**
 * The SMPP proxy between a real client, a real server and the real service. Nothing is lost or doubled, order
 * is kept, and every status follows numgate's verdict.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { PDU } from 'smpp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';
import { ALLOWED_SENDER, gatewayService } from './support/service.ts';
import { bindEsme, LABEL, message, NEVER_MS, proxyTo, request, startSmsc, textOf } from './support/smpp.ts';

/** Senders by their verdicts from abroad. */
const SENDERS = { allow: ALLOWED_SENDER, label: '+639170000002', block: '+82212345678' } as const;
type Kind = keyof typeof SENDERS;
const KINDS: readonly Kind[] = ['allow', 'label', 'block', 'label', 'allow'];
const BLOCKED = 10;

interface Sent {
  readonly id: string;
  readonly kind: Kind;
}

function mixed(name: string, count: number): Sent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    kind: KINDS[index % KINDS.length]!,
  }));
}

/** What the other side must receive, in order. */
function arrived(sent: readonly Sent[]): string[] {
  return sent
    .filter(({ kind }) => kind !== 'block')
    .map(({ id, kind }) => (kind === 'label' ? LABEL + id : id));
}

const statusOf = ({ kind }: Sent): number => (kind === 'block' ? BLOCKED : 0);

describe('the SMPP proxy', () => {
  it('passes 10,000 submit_sm of two sessions: none lost, none doubled, in order, each with the right status', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const each = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const { session } = await bindEsme(proxy.port);
        const sent = mixed(name, 5_000);
        const answers = await Promise.all(
          sent.map(({ id, kind }) => request(session, 'submit_sm', message(SENDERS[kind], id))),
        );
        return { name, sent, answers };
      }),
    );
    for (const { name, sent, answers } of each) {
      const texts = smsc.received.map(textOf).filter((text) => text.includes(`${name}-`));
      expect(texts).toEqual(arrived(sent));
      expect(answers.map(({ command_status }) => command_status)).toEqual(sent.map(statusOf));
      // The answer of the SMSC to this very message.
      expect(answers.map(({ message_id }) => message_id)).toEqual(
        sent.map(({ id, kind }) => (kind === 'block' ? undefined : id)),
      );
    }
    expect(smsc.received).toHaveLength(8_000);
    expect(proxy.counts).toEqual({ passed: 4_000, labelled: 4_000, labelNotShown: 0, refused: 2_000 });
    expect(proxy.logged.join('\n')).not.toMatch(/\d{5}/);
  });

  it('passes 1,000 deliver_sm the other way, and delivery receipts unchecked', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const esme = await bindEsme(proxy.port);
    const sent = mixed('d', 1_000);
    const [session] = smsc.sessions;
    const receipt = { esm_class: 0x04 };
    const answers = await Promise.all([
      ...sent.map(({ id, kind }) => request(session!, 'deliver_sm', message(SENDERS[kind], id))),
      request(session!, 'deliver_sm', message(SENDERS.block, 'id:1 stat:DELIVRD', receipt)),
    ]);
    expect(answers.map(({ command_status }) => command_status)).toEqual([...sent.map(statusOf), 0]);
    expect(esme.received.map(textOf)).toEqual([...arrived(sent), 'id:1 stat:DELIVRD']);
  });

  it('checks a message of an ESME that claims to be a receipt', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const { session } = await bindEsme(proxy.port);
    const pdu = await request(session, 'submit_sm', message(SENDERS.block, 'x', { esm_class: 0x04 }));
    expect([pdu.command_status, smsc.received]).toEqual([BLOCKED, []]);
  });

  it('checks the texts if it may, and long ones once all parts are there', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService(), { checkText: true });
    const { session } = await bindEsme(proxy.port);
    const send = async (text: string, fields: object = {}) =>
      (await request(session, 'submit_sm', message(SENDERS.allow, text, fields))).command_status;
    const part = (number: number, total = 2) => ({
      ...{ sar_msg_ref_num: 7, sar_total_segments: total, sar_segment_seqnum: number },
    });
    expect(await send('test:ordinary')).toBe(0);
    expect(await send('test:TEXT_HOST_LISTED')).toBe(BLOCKED);
    expect(await send('test:TEXT_CAMPAIGN', { data_coding: 8 })).toBe(BLOCKED);
    expect(await send('test:TEXT_', part(1))).toBe(0);
    expect(await send('HOST_LISTED', part(2))).toBe(BLOCKED);
    // Parts may come in any order. Each sender's parts are separate.
    expect(await send('CAMPAIGN', part(2))).toBe(0);
    expect(await send('test:TEXT_', part(1))).toBe(BLOCKED);
    expect(smsc.received).toHaveLength(3);
    expect(proxy.logged.join()).not.toContain('test:');
  });

  it('sends no text unless it may', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const { session } = await bindEsme(proxy.port);
    const { command_status } = await request(
      session,
      'submit_sm',
      message(SENDERS.allow, 'test:TEXT_HOST_LISTED'),
    );
    expect(command_status).toBe(0);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['a suspended recipient', { destination_addr: '821044440001' }, 11],
    ['a national number of Korea', { source_addr_ton: 2, source_addr: '0212345678' }, 10],
    ['a sender ID that is too long', { source_addr_ton: 5, source_addr: 'A-SENDER-TOO-LONG' }, 10],
    ['a sender with a control character', { source_addr_ton: 5, source_addr: 'SH\u0007OP' }, 10],
    ['a sender of 5,000 octets', { source_addr: `82212345678${'0'.repeat(4_989)}` }, 10],
    ['a sender of 21 octets', { source_addr: `82212345678${' '.repeat(10)}` }, 10],
    ['a recipient of 21 octets', { destination_addr: '0'.repeat(21) }, 11],
    ['a recipient of 5,000 octets', { destination_addr: `821044440001${' '.repeat(4_988)}` }, 11],
    ['a recipient that is no number', { dest_addr_ton: 0, destination_addr: '*31#01044440001' }, 11],
    ['a recipient with letters', { dest_addr_ton: 5, destination_addr: '01044440001x' }, 11],
    ['a recipient with separators', { dest_addr_ton: 0, destination_addr: '010-4444-0001' }, 11],
    ['a sender ID', { source_addr_ton: 5, source_addr: 'SHOP' }, 0],
  ])('answers %s, whatever the fail policy', async (_, fields, status) => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService(), { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    const { command_status } = await request(session, 'submit_sm', message(SENDERS.label, 'x', fields));
    expect([command_status, smsc.received.length]).toEqual([status, status === 0 ? 1 : 0]);
  });

  it('refuses only the messages with long addresses, and checks those beside them', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService(), { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    // Together they exceed the limit of a batch.
    const long = Array.from({ length: 80 }, () => ({ source_addr: '0'.repeat(60_000) }));
    const all = [...long, {}, { source_addr: '82212345678' }];
    const answers = await Promise.all(
      all.map((fields) => request(session, 'submit_sm', message(SENDERS.allow, 'x', fields))),
    );
    const statuses = answers.map(({ command_status }) => command_status);
    expect(statuses).toEqual([...long.map(() => BLOCKED), 0, BLOCKED]);
    expect(proxy.counts).toEqual({ passed: 1, labelled: 0, labelNotShown: 0, refused: 81 });
    expect(proxy.logged).toEqual(['session opened ']);
  });

  it('also checks data_sm, and refuses messages with many recipients', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const { session } = await bindEsme(proxy.port);
    const { short_message: _, ...blocked } = message(SENDERS.block, '');
    expect((await request(session, 'data_sm', blocked)).command_status).toBe(BLOCKED);
    const many = await request(session, 'submit_multi', {
      ...message(SENDERS.allow, 'x'),
      dest_address: [{ dest_flag: 1, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '821055550000' }],
    });
    expect(many.command_status).toBe(3);
    const { destination_addr: _to, ...replacing } = message(SENDERS.allow, 'x');
    const replaced = await request(session, 'replace_sm', { ...replacing, message_id: '1' });
    expect(replaced.command_status).toBe(3);
    expect(smsc.received).toEqual([]);
  });

  it('checks only the configured directions', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService(), { directions: ['deliver'] });
    const { session } = await bindEsme(proxy.port);
    const submitted = await request(session, 'submit_sm', message(SENDERS.block, 'x'));
    const delivered = await request(smsc.sessions[0]!, 'deliver_sm', message(SENDERS.block, 'x'));
    expect([submitted, delivered].map((pdu: PDU) => pdu.command_status)).toEqual([0, BLOCKED]);
  });

  it('reads senders without the carrier prefix of its ingress', async () => {
    const smsc = await startSmsc();
    const ingress = { type: 'domestic', carrierPrefix: '00700' } as const;
    const proxy = await proxyTo(smsc, gatewayService(), { ingress });
    const { session } = await bindEsme(proxy.port);
    const from = (source_addr: string) => ({ source_addr_ton: 0, source_addr });
    const sent = ['0070082212345678', '00700639170000002'].map((number) =>
      request(session, 'submit_sm', message(SENDERS.allow, 'x', from(number))),
    );
    expect((await Promise.all(sent)).map(({ command_status }) => command_status)).toEqual([BLOCKED, 0]);
    // The sender is displayed unchanged, and the text is labelled as from abroad.
    expect(smsc.received.map((pdu) => [pdu.source_addr, textOf(pdu)])).toEqual([
      ['00700639170000002', `${LABEL}x`],
    ]);
  });

  it('checks texts as domestic if its ingress says so', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService(), { ingress: { type: 'domestic' } });
    const { session } = await bindEsme(proxy.port);
    const { command_status } = await request(session, 'submit_sm', message(SENDERS.block, 'x'));
    expect([command_status, smsc.received.map(textOf)]).toEqual([0, ['x']]);
  });

  it('labels texts that pass by an open fail policy if numgate rejects the settings of the proxy', async () => {
    const smsc = await startSmsc();
    // Abroad and in Korea at the same time, so each item is refused because of its ingress.
    const ingress = { type: 'international', country: 'KR' } as const;
    const proxy = await proxyTo(smsc, gatewayService(), { failPolicy: 'open', ingress });
    const { session } = await bindEsme(proxy.port);
    const ids = ['a', 'b', 'c'];
    await Promise.all(ids.map((id) => request(session, 'submit_sm', message(SENDERS.allow, id))));
    expect(smsc.received.map(textOf)).toEqual(ids.map((id) => LABEL + id));
  });

  it('labels texts without a verdict if the fail policy of the client lets them pass', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const { session } = await bindEsme(proxy.port);
    await request(session, 'submit_sm', message('+821000000023', 'x'));
    expect(smsc.received.map(textOf)).toEqual([`${LABEL}x`]);
  });

  it('runs as a process, and ends on SIGTERM', async () => {
    const smsc = await startSmsc();
    const args = ['examples/smpp/main.ts', '--listen', '127.0.0.1:0', '--smsc', `127.0.0.1:${smsc.port}`];
    const env = { ...process.env, NUMGATE_URL: gatewayService().url, NUMGATE_KEY: gatewayService().key };
    const slow = ['--deadline-ms', String(NEVER_MS), '--full-wait-ms', String(NEVER_MS)];
    const child = spawn(process.execPath, [...args, ...slow, '--trunk', 'MNL-2'], {
      cwd: PROJECT,
      env,
      stdio: 'pipe',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.on('close', resolve));
    const lines = createInterface({ input: child.stdout });
    const first = (await lines[Symbol.asyncIterator]().next()).value as string;
    const { session, closed } = await bindEsme(
      (JSON.parse(first) as { detail: { port: number } }).detail.port,
    );
    const answers = await Promise.all(
      (['allow', 'block'] as const).map((kind) => request(session, 'submit_sm', message(SENDERS[kind], 'x'))),
    );
    expect(answers.map(({ command_status }) => command_status)).toEqual([0, BLOCKED]);
    child.kill('SIGTERM');
    await closed;
    expect(await ended).toBe(0);
  });
});
