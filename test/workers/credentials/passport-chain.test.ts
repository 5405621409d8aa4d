/** Certificate chains of PASSporTs, made by OpenSSL (test/vectors/passport.sh), checked against the configured roots. */
import { describe, expect, it } from 'vitest';
import { PASSPORT_CHAIN_CERTIFICATES_MAX } from '../../../shared/limits/passport.ts';
import { parseRoot, verifyChain } from '../../../workers/credentials/passport-chain.ts';
import { authorizedNumbers, parseTnAuthorization } from '../../../workers/credentials/tn-authorization.ts';
import vectors from '../../vectors/passport.json' with { type: 'json' };

const NOW = Date.UTC(2026, 10, 24);
const BEGIN = Date.UTC(2026, 0, 1);
const END = Date.UTC(2046, 0, 1);
/** The numbers that the certificate `signer` names. */
const NAMED = [
  { from: 82_221_230_000, to: 82_221_230_099 },
  { from: 8_215_881_234, to: 8_215_881_234 },
];

type Name = keyof typeof vectors extends `${infer Each}.${string}` ? Each : never;

function pem(...names: Name[]): string {
  return names.map((name) => vectors[`${name}.pem` as keyof typeof vectors]).join('');
}

function rootNamed(name: Name) {
  const parsed = parseRoot(pem(name));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

const roots = [rootNamed('other'), rootNamed('root')];

/** The failure of a chain; null if it is valid. */
async function failureOf(chain: string, now = NOW): Promise<string | null> {
  const verified = await verifyChain(chain, roots, now);
  return verified.ok ? null : verified.message;
}

describe('verifyChain', () => {
  it.each([
    ['with its root', pem('signer', 'middle', 'root')],
    ['without its root', pem('signer', 'middle')],
    ['that the root signed', pem('by_root')],
    ['with text between the certificates', `made today\n${pem('signer')}and\r\n${pem('middle')}`],
    ['with carriage returns', pem('signer', 'middle').replaceAll('\n', '\r\n')],
  ])('accepts a chain %s', async (_what, chain) => {
    const verified = await verifyChain(chain, roots, NOW);
    expect(verified).toMatchObject({ ok: true, value: { notBefore: BEGIN, notAfter: END } });
  });

  it('returns the key of the signer, and its TN authorization list', async () => {
    const verified = await verifyChain(pem('signer', 'middle'), roots, NOW);
    if (!verified.ok) return expect.fail(verified.message);
    const { key, authorizations } = verified.value;
    expect(key).toHaveLength(65);
    expect(authorizations).toEqual([{ providers: ['KT01'], numbers: NAMED }]);
    const data = new TextEncoder().encode('signed');
    const signature = await crypto.subtle.sign(ES256, await signerKey(), data);
    const publicKey = await crypto.subtle.importKey('raw', key, ES256, false, ['verify']);
    expect(await crypto.subtle.verify(ES256, publicKey, signature, data)).toBe(true);
  });

  it.each<[string, string, RegExp]>([
    ['nothing in PEM', 'hello', /no certificate/],
    ['a private key', pem('signer', 'middle') + vectors['signer.key'], /not a certificate: leave/],
    ['a certificate that is not base64', pem('signer').replace('MII', '###'), /not base64/],
    ['a certificate that is cut short', pem('signer').replace(/\n.*\n(?=-----END)/, '\n'), /not DER/],
    [
      'too many certificates',
      pem(...Array(PASSPORT_CHAIN_CERTIFICATES_MAX + 1).fill('signer')),
      /more than 6/,
    ],
    ['no link to a root', pem('signer'), /configured root/],
    ['certificates in the wrong order', pem('middle', 'signer'), /configured root/],
    ['a certificate that the next one did not sign', pem('by_root', 'middle'), /in order/],
    ['an expired signer', pem('expired', 'middle'), /has expired/],
    ['an expired certificate above the signer', pem('by_old', 'old'), /has expired/],
    ['a signer that is not valid yet', pem('early', 'middle'), /not valid yet/],
    ['SHA-384', pem('sha384', 'middle'), /ECDSA and SHA-256/],
    ['a key on P-384', pem('p384', 'middle'), /P-256/],
    ['an RSA key', pem('rsa', 'middle'), /P-256/],
    [
      'a certificate above the signer without keyCertSign',
      pem('by_powerless', 'powerless'),
      /may not sign certificates/,
    ],
    ['a signer as the one above the signer', pem('by_root', 'signer', 'middle'), /may not sign certificates/],
    ['more certificates than pathlen allows', pem('by_below', 'below', 'last'), /longer/],
    ['a root alone', pem('root'), /may not sign PASSporTs/],
    ['a signer without digitalSignature', pem('no_usage', 'middle'), /may not sign PASSporTs/],
    ['no TN authorization list', pem('no_list', 'middle'), /without a TN authorization list/],
    ['an empty TN authorization list', pem('empty_list', 'middle'), /without entries/],
    ['a number with a star', pem('letters', 'middle'), /not a number, range/],
    ['a range beyond the numbers of its length', pem('long_range', 'middle'), /not a number, range/],
    ['constraints on claims', pem('constrained', 'middle'), /1\.3\.6\.1\.5\.5\.7\.1\.27/],
    ['a critical extension that nobody knows', pem('unknown_critical', 'middle'), /1\.2\.3\.4/],
  ])('refuses %s', async (_what, chain, message) => {
    expect(await failureOf(chain)).toMatch(message);
  });

  it('refuses every damaged byte of a certificate', async () => {
    const [head, body, foot] = pem('by_root').split(/(?<=BEGIN CERTIFICATE-----\n)|(?=-----END)/);
    const bytes = Uint8Array.from(atob(body!.replace(/\s/g, '')), (char) => char.charCodeAt(0));
    for (const index of bytes.keys()) {
      const damaged = bytes.with(index, bytes[index]! ^ 1);
      const chain = `${head}${btoa(String.fromCharCode(...damaged))}\n${foot}`;
      expect(await failureOf(chain), `byte ${index}`).not.toBeNull();
    }
  });

  it('ends with the certificate that ends first', async () => {
    const chain = pem('by_old', 'old');
    const end = Date.UTC(2026, 10, 1);
    const verified = await verifyChain(chain, roots, end - 1);
    expect(verified).toMatchObject({ ok: true, value: { notAfter: end } });
    expect(await failureOf(chain, end)).toMatch(/has expired/);
  });
});

it('a root whose key is no point of the curve stands for nothing', async () => {
  const { key, ...root } = rootNamed('root');
  const off = { ...root, key: key.with(64, key[64]! ^ 1) };
  expect((await verifyChain(pem('by_root'), [off], NOW)).ok).toBe(false);
});

describe('parseRoot', () => {
  it.each<[string, string, RegExp]>([
    ['a signer', pem('signer'), /may not sign certificates/],
    ['two certificates', pem('root', 'other'), /several/],
    ['a private key', vectors['signer.key'], /not a certificate/],
  ])('refuses %s', (_what, text, message) => {
    expect(parseRoot(text)).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });
});

describe('parseTnAuthorization', () => {
  const bytesOf = (hex: string): ArrayBuffer =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).buffer;
  /** A DER value of fewer than 128 bytes. */
  const der = (tag: string, content: string): string =>
    tag + (content.length / 2).toString(16).padStart(2, '0') + content;
  const text = (written: string): string =>
    der('16', [...written].map((char) => char.charCodeAt(0).toString(16)).join(''));
  const range = (start: string, count: string): string =>
    der('30', der('a1', der('30', text(start) + der('02', count))));
  const ALL = der(
    '30',
    der('a0', text('KT01')) + range('82221230000', '64').slice(4) + der('a2', text('8215881234')),
  );

  it('reads every kind of entry', () => {
    expect(parseTnAuthorization(bytesOf(ALL))).toEqual({
      ok: true,
      value: { providers: ['KT01'], numbers: NAMED },
    });
  });

  it.each([
    ['a count beyond all numbers', range('12345678', '7f'.repeat(40))],
    ['a negative count', range('12345678', 'ff')],
    ['a count of one', range('12345678', '01')],
    ['a truth value', der('30', der('01', 'ff'))],
    ['an entry with two values', der('30', der('a2', text('12345') + text('12346')))],
    ['an entry without a value', der('30', der('a2', ''))],
    ['an entry that is not constructed', der('30', der('82', '3132333435'))],
    ['a list of another class', der('30', der('62', text('12345')))],
    ['bytes behind the list', `${ALL}0500`],
  ])('refuses %s', (_what, hex) => {
    expect(parseTnAuthorization(bytesOf(hex)).ok).toBe(false);
  });

  it('never throws, whatever byte is damaged', () => {
    const bytes = new Uint8Array(bytesOf(ALL));
    for (const index of bytes.keys()) {
      for (let value = 0; value < 256; value++) {
        const parsed = parseTnAuthorization(bytes.with(index, value).buffer);
        if (!parsed.ok) expect(parsed.code).toBe('PASSPORT_CERTIFICATE_INVALID');
      }
    }
  });
});

describe('authorizedNumbers', () => {
  const provided = [{ from: 821_000_000_000, to: 821_099_999_999 }];

  async function numbersOf(chain: string, configured = provided) {
    const verified = await verifyChain(chain, roots, NOW);
    if (!verified.ok) throw new Error(verified.message);
    return authorizedNumbers(verified.value.authorizations, configured);
  }

  it('adds the numbers that service provider codes stand for', async () => {
    expect(await numbersOf(pem('signer', 'middle'))).toEqual([NAMED[1], NAMED[0], provided[0]]);
    expect(await numbersOf(pem('provider', 'middle'))).toEqual(provided);
    expect(await numbersOf(pem('provider', 'middle'), [])).toEqual([]);
  });

  it('keeps only what the certificates above the signer may sign for', async () => {
    expect(await numbersOf(pem('by_narrow', 'narrow'))).toEqual([
      { from: 82_221_230_050, to: 82_221_230_099 },
    ]);
  });
});

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

function signerKey(): Promise<CryptoKey> {
  const der = atob(vectors['signer.key'].replace(/-----.*-----|\s/g, ''));
  const bytes = Uint8Array.from(der, (char) => char.charCodeAt(0));
  return crypto.subtle.importKey('pkcs8', bytes, ES256, false, ['sign']);
}
