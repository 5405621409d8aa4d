/** The SMPP proxy when a session begins or ends, and with unusual octets. */
import { connect as connectTcp } from 'node:net';
import smpp, { type PDU } from 'smpp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeNumgate } from './support/fake-numgate.ts';
import {
  accept,
  bind,
  bindEsme,
  connectEsme,
  FROM,
  holding,
  message,
  NOWHERE,
  proxyTo,
  request,
  startSmsc,
  statuses,
  textOf,
  texts,
} from './support/smpp.ts';

const { ESME_RSYSERR, ESME_RTHROTTLED, ESME_RX_T_APPN, ESME_RINVPASWD, ESME_RINVMSGLEN, ESME_RINVBNDSTS } =
  smpp.errors;

describe('the end of a session', () => {
  it('responds to all pending messages when the SMSC dies', async () => {
    const numgate = await startFakeNumgate(false);
    let count = 0;
    const smsc = await startSmsc((pdu, session) => {
      if (++count <= 500) accept(pdu, session);
      else if (count === 1_000) session.socket.resetAndDestroy();
    });
    const proxy = await proxyTo(smsc, numgate);
    const { session, closed } = await bindEsme(proxy.port);
    const answers = await Promise.all(
      texts(1_000).map((id) => request(session, 'submit_sm', message(FROM, id))),
    );
    // The reset may overtake some answers of the SMSC, but each message still gets exactly one answer.
    const passed = statuses(answers).filter((status) => status === 0).length;
    expect(passed).toBeLessThanOrEqual(500);
    expect(statuses(answers).slice(passed)).toEqual(answers.slice(passed).map(() => ESME_RSYSERR));
    await closed;
  });

  it('responds to undecided messages when the SMSC unbinds', async () => {
    const numgate = await startFakeNumgate(true);
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, numgate);
    const { session, closed } = await bindEsme(proxy.port);
    const answers = texts(10).map((id) => request(session, 'submit_sm', message(FROM, id)));
    await request(session, 'enquire_link');
    smsc.sessions[0]!.close();
    expect(statuses(await Promise.all(answers))).toEqual(answers.map(() => ESME_RSYSERR));
    await closed;
    numgate.release();
    expect(smsc.received).toEqual([]);
  });

  it('reports unanswered deliveries to the SMSC when an ESME dies', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, await startFakeNumgate(false));
    const { onMessage } = holding();
    const esme = await bindEsme(proxy.port, onMessage);
    const [session] = smsc.sessions;
    const gone = new Promise((resolve) => session!.on('close', resolve));
    const delivered = texts(5).map((id) => request(session!, 'deliver_sm', message(FROM, id)));
    await esme.until(5);
    esme.session.socket.resetAndDestroy();
    expect(statuses(await Promise.all(delivered))).toEqual(delivered.map(() => ESME_RX_T_APPN));
    await gone;
  });

  it('leaves the password to the SMSC', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE);
    const { session } = await connectEsme(proxy.port);
    expect((await bind(session, 'wrong')).command_status).toBe(ESME_RINVPASWD);
  });

  it('refuses messages of an unbound ESME without a check', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(false);
    const proxy = await proxyTo(smsc, numgate);
    const { session } = await connectEsme(proxy.port);
    await bind(session, 'wrong');
    session.send(new smpp.PDU('bind_transceiver_resp', { sequence_number: 1 }));
    expect((await request(session, 'submit_sm', message(FROM, 'x'))).command_status).toBe(ESME_RINVBNDSTS);
    expect([numgate.calls, smsc.received]).toEqual([[], []]);
  });

  it('still responds to an ESME that has closed its sending side', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(true);
    const proxy = await proxyTo(smsc, numgate);
    const { session, closed } = await bindEsme(proxy.port);
    const answers = texts(10).map((id) => request(session, 'submit_sm', message(FROM, id)));
    session.close();
    numgate.release();
    expect(statuses(await Promise.all(answers))).toEqual(answers.map(() => 0));
    expect(smsc.received.map(textOf)).toEqual(texts(10));
    await closed;
  });

  it('responds to a bind if there is no SMSC', async () => {
    const proxy = await proxyTo({ port: 1 }, NOWHERE);
    const { session, closed } = await connectEsme(proxy.port);
    const answered = bind(session).then(({ command_status }) => command_status);
    expect(await Promise.race([answered, closed])).toSatisfy((it) => it === ESME_RSYSERR || it === undefined);
    await closed;
  });

  it('passes an unbind after the messages before it, and closes both sides', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(true);
    const proxy = await proxyTo(smsc, numgate);
    const { session, closed } = await bindEsme(proxy.port);
    const gone = new Promise((resolve) => smsc.sessions[0]!.on('close', resolve));
    const answers = [...texts(10).map((id) => request(session, 'submit_sm', message(FROM, id)))];
    answers.push(request(session, 'unbind'));
    numgate.release();
    expect(statuses(await Promise.all(answers))).toEqual(answers.map(() => 0));
    expect(smsc.received).toHaveLength(10);
    await Promise.all([closed, gone]);
  });

  it('stops once pending messages have their response, and unbinds', async () => {
    const { onMessage, release } = holding();
    const smsc = await startSmsc(onMessage);
    const proxy = await proxyTo(smsc, await startFakeNumgate(false));
    const { session, closed } = await bindEsme(proxy.port);
    const unbound = Promise.all(
      [session, smsc.sessions[0]!].map((side) => new Promise((resolve) => side.on('unbind', resolve))),
    );
    const answers = texts(10).map((id) => request(session, 'submit_sm', message(FROM, id)));
    await smsc.until(10);
    const stopped = proxy.stop();
    expect((await request(session, 'submit_sm', message(FROM, 'late'))).command_status).toBe(ESME_RTHROTTLED);
    release();
    expect(statuses(await Promise.all(answers))).toEqual(answers.map(() => 0));
    await Promise.all([unbound, closed, stopped]);
  });
});

describe('the bytes of a PDU', () => {
  it('pass unchanged, even if the package would not write them again', async () => {
    const smsc = await startSmsc();
    const raw: Buffer[] = [];
    const numgate = await startFakeNumgate(false);
    const proxy = await proxyTo(smsc, numgate);
    const { session } = await bindEsme(proxy.port);
    const { socket } = smsc.sessions[0]!;
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const bytes = read(size) as Buffer | null;
      if (bytes !== null) raw.push(bytes);
      return bytes;
    };
    // A user data header, a relative time, and an unknown TLV.
    const udh = Buffer.from([0x05, 0x00, 0x03, 0x2a, 0x02, 0x01]);
    const known = new smpp.PDU('submit_sm', {
      ...message(FROM, ''),
      ...{ esm_class: 0x40, validity_period: '000000010000000R', sequence_number: 77 },
      short_message: Buffer.concat([udh, Buffer.from('part one')]),
    }).toBuffer();
    const pdu = Buffer.concat([known, Buffer.from([0x3f, 0xff, 0x00, 0x02, 0xca, 0xfe])]);
    pdu.writeUInt32BE(pdu.length, 0);
    session.socket.write(pdu);
    await smsc.until(1);
    expect(Buffer.concat(raw)).toEqual(pdu);
    expect(numgate.calls[0]!.items).toMatchObject([{ from: FROM, to: '+821055550000' }]);
  });

  it('are refused if the message is shorter than its length fields', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    const whole = new smpp.PDU('submit_sm', { ...message(FROM, 'text'), sequence_number: 9 }).toBuffer();
    const cut = Buffer.from(whole.subarray(0, whole.length - 3));
    cut.writeUInt32BE(cut.length, 0);
    const answer = new Promise<PDU>((resolve) => session.on('submit_sm_resp', resolve));
    session.socket.write(cut);
    expect(await answer).toMatchObject({ command_status: ESME_RINVMSGLEN, sequence_number: 9 });
  });

  it.each([0, 15, 70_001, 0xffffffff])('close the connection if the PDU has %i octets', async (length) => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE);
    const socket = connectTcp(proxy.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const header = Buffer.alloc(16);
    header.writeUInt32BE(length, 0);
    socket.write(header);
    await new Promise((resolve) =>
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', resolve),
    );
  });
});
