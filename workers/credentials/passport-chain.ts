/**
 * Verifies the certificate chain of a PASSporT (RFC 8226). The chain begins with the signer's certificate, and each one is
 * signed by the next, up to a configured root (RFC 5280, section 6, for the profile of x509.ts).
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { parseTnAuthorization, type TnAuthorization } from './tn-authorization.ts';
import { isSignedBy, type ParsedCertificate, parsePem } from './x509.ts';

/** A certificate whose chain was verified. */
export interface SignerCertificate {
  /** Raw P-256 point, 65 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The period in which the whole chain is valid, in ms since 1970: the latest beginning and the earliest end. */
  readonly notBefore: number;
  readonly notAfter: number;
  /**
   * The TN authorization list of the signer, then the lists of the certificates above it that have one. No certificate may
   * sign for more numbers than a certificate above it.
   */
  readonly authorizations: readonly TnAuthorization[];
}

export type ChainFailure = Failure<'PASSPORT_CERTIFICATE_INVALID' | 'PASSPORT_CHAIN_INVALID'>;

function broken(message: string): ChainFailure {
  return fail('PASSPORT_CHAIN_INVALID', message);
}

/** A root as an admin configures it: one certificate in PEM. Whoever configures it vouches for its name and key. */
export function parseRoot(pem: string): Result<ParsedCertificate, ChainFailure> {
  const parsed = parsePem(pem);
  if (!parsed.ok) return parsed;
  const [root, ...more] = parsed.value;
  if (more.length > 0) return broken('has several certificates: send only the root');
  if (root!.pathLength === null) {
    return broken(
      'has a certificate that may not sign certificates (CA, keyCertSign): send the certificate of a root',
    );
  }
  return ok(root!);
}

/**
 * @param pem the chain, with the signer's certificate first; it ends with a root, or with a certificate that a root signed
 * @param now in ms since 1970
 */
export async function verifyChain(
  pem: string,
  roots: readonly ParsedCertificate[],
  now: number,
): Promise<Result<SignerCertificate, ChainFailure>> {
  const parsed = parsePem(pem);
  if (!parsed.ok) return parsed;
  const chain = parsed.value;
  const [signer] = chain;
  const root = await rootOf(chain, roots);
  if (root === null) return broken('does not end at a configured root');
  const path = chain.at(-1)!.der === root.der ? chain : [...chain, root];
  for (const [index, certificate] of path.entries()) {
    if (now < certificate.notBefore) return broken('has a certificate that is not valid yet');
    if (now >= certificate.notAfter) return broken('has a certificate that has expired');
    if (index === 0) continue;
    const { pathLength, subject } = certificate;
    const signed = path[index - 1]!;
    if (pathLength === null)
      return broken('has a certificate that signed another one, but may not sign certificates');
    // There are `index - 1` certificates between this one and the signer's.
    if (index - 1 > pathLength) return broken('is longer than one of its certificates allows');
    if (signed.issuer !== subject || !(await isSignedBy(signed, certificate))) {
      return broken('has a certificate that the next one did not sign: send them in order, the signer first');
    }
  }
  if (!signer!.maySign)
    return broken('begins with a certificate that may not sign PASSporTs (digitalSignature)');
  if (signer!.authorization === null)
    return broken('begins with a certificate without a TN authorization list');
  const authorizations: TnAuthorization[] = [];
  for (const { authorization } of path) {
    if (authorization === null) continue;
    const list = parseTnAuthorization(authorization);
    if (!list.ok) return list;
    authorizations.push(list.value);
  }
  return ok({
    key: signer!.key,
    notBefore: Math.max(...path.map(({ notBefore }) => notBefore)),
    notAfter: Math.min(...path.map(({ notAfter }) => notAfter)),
    authorizations,
  });
}

/** The root that is the last certificate, or that signed it. A root may not sign PASSporTs itself. */
async function rootOf(
  chain: readonly ParsedCertificate[],
  roots: readonly ParsedCertificate[],
): Promise<ParsedCertificate | null> {
  const last = chain.at(-1)!;
  for (const root of roots) {
    if (root.der === last.der) return root;
    if (root.subject === last.issuer && (await isSignedBy(last, root))) return root;
  }
  return null;
}
