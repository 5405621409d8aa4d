/**
 * X.509 certificates as PASSporTs use them (RFC 8225, 8226): P-256 keys, signed with ECDSA and SHA-256. Everything else is
 * refused, including critical extensions that are not checked here.
 */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';
import { Integer, Sequence } from 'asn1js';
import { fromBase64, fromHex, toHex } from '../../shared/bytes.ts';
import { PASSPORT_CHAIN_CERTIFICATES_MAX, PASSPORT_CHAIN_CHARS_MAX } from '../../shared/limits/passport.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { parseDer } from './der.ts';

/** TN authorization list (RFC 8226, section 9). */
const TN_AUTHORIZATION_LIST = '1.3.6.1.5.5.7.1.26';
/** JWT claim constraints (RFC 8226, section 8) and their successor (RFC 9118): bounds on claims that are not checked here. */
const CLAIM_CONSTRAINTS: readonly string[] = ['1.3.6.1.5.5.7.1.27', '1.3.6.1.5.5.7.1.33'];
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
/** DER of the object identifier of P-256. */
const P256 = '06082a8648ce3d030107';
/** An uncompressed point: 04, x, y. */
const POINT_BYTES = 65;
const SCALAR_BYTES = 32;
const SCALAR_BITS = 256n;

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export type CertificateFailure = Failure<'PASSPORT_CERTIFICATE_INVALID'>;

/** A certificate that was parsed, but not verified. */
export interface ParsedCertificate {
  /** DER, in hex: equal names and certificates have equal text. */
  readonly issuer: string;
  readonly subject: string;
  readonly der: string;
  /** In ms since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Raw P-256 point, 65 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** Null if it may not sign certificates. Otherwise, how many certificates may be between it and the last certificate. */
  readonly pathLength: number | null;
  /** Whether it may sign PASSporTs. */
  readonly maySign: boolean;
  /** DER of the TN authorization list; null if there is none. */
  readonly authorization: ArrayBuffer | null;
  /** The signed content, and the signature: r and s, 64 bytes. */
  readonly signed: ArrayBuffer;
  readonly signature: Uint8Array<ArrayBuffer>;
}

function invalid(message: string): CertificateFailure {
  return fail('PASSPORT_CERTIFICATE_INVALID', message);
}

const NOT_DER = invalid('has a certificate that is not DER');

/** The certificates of a text in PEM, in their order. Text between them is ignored (RFC 7468). */
export function parsePem(text: string): Result<ParsedCertificate[], CertificateFailure> {
  if (text.length > PASSPORT_CHAIN_CHARS_MAX) {
    return invalid(`has more than ${PASSPORT_CHAIN_CHARS_MAX} characters: send only the chain`);
  }
  const sections = [...text.matchAll(/-----BEGIN ([^-\n]*)-----([^-]*)-----END \1-----/g)];
  if (sections.length === 0) return invalid('has no certificate in PEM');
  if (sections.length > PASSPORT_CHAIN_CERTIFICATES_MAX) {
    return invalid(`has more than ${PASSPORT_CHAIN_CERTIFICATES_MAX} certificates`);
  }
  const certificates: ParsedCertificate[] = [];
  for (const [, label, body] of sections) {
    if (label !== 'CERTIFICATE') return invalid('has a PEM section that is not a certificate: leave it out');
    const der = fromBase64(body!.replace(/\s/g, ''));
    const parsed = der === null ? invalid('has a certificate that is not base64') : parseCertificate(der);
    if (!parsed.ok) return parsed;
    certificates.push(parsed.value);
  }
  return ok(certificates);
}

function parseCertificate(der: Uint8Array<ArrayBuffer>): Result<ParsedCertificate, CertificateFailure> {
  try {
    const certificate = AsnConvert.parse(der, Certificate);
    const text = toHex(der);
    // The library also reads other encodings of the same certificate, and ignores what follows it.
    if (toHex(new Uint8Array(AsnConvert.serialize(certificate))) !== text) return NOT_DER;
    return readCertificate(certificate, text);
  } catch {
    // The library throws for input that is not a certificate.
    return NOT_DER;
  }
}

function readCertificate(
  certificate: Certificate,
  der: string,
): Result<ParsedCertificate, CertificateFailure> {
  const { tbsCertificate: content, tbsCertificateRaw, signatureAlgorithm } = certificate;
  const algorithms = [signatureAlgorithm.algorithm, content.signature.algorithm];
  if (tbsCertificateRaw === undefined || algorithms.some((each) => each !== ECDSA_SHA256)) {
    return invalid('has a certificate that is not signed with ECDSA and SHA-256');
  }
  const { algorithm, subjectPublicKey } = content.subjectPublicKeyInfo;
  const key = new Uint8Array(subjectPublicKey);
  const curve = algorithm.parameters == null ? '' : toHex(new Uint8Array(algorithm.parameters));
  if (algorithm.algorithm !== EC_PUBLIC_KEY || curve !== P256 || key.length !== POINT_BYTES || key[0] !== 4) {
    return invalid('has a certificate whose key is not on P-256');
  }
  let basic: BasicConstraints | null = null;
  let usage = 0;
  let authorization: ArrayBuffer | null = null;
  const seen = new Set<string>();
  for (const { extnID, critical, extnValue } of content.extensions ?? []) {
    if (seen.has(extnID)) return invalid('has a certificate with an extension twice');
    seen.add(extnID);
    const value = extnValue.buffer;
    if (extnID === id_ce_basicConstraints) basic = AsnConvert.parse(value, BasicConstraints);
    else if (extnID === id_ce_keyUsage) usage = AsnConvert.parse(value, KeyUsage).toNumber();
    else if (extnID === TN_AUTHORIZATION_LIST) authorization = value;
    else if (critical || CLAIM_CONSTRAINTS.includes(extnID)) {
      return invalid(`has a certificate with the extension ${extnID}, which this service does not check`);
    }
  }
  const maySignCertificates = basic?.cA === true && (usage & KeyUsageFlags.keyCertSign) !== 0;
  return ok({
    issuer: toHex(new Uint8Array(AsnConvert.serialize(content.issuer))),
    subject: toHex(new Uint8Array(AsnConvert.serialize(content.subject))),
    der,
    notBefore: content.validity.notBefore.getTime().getTime(),
    notAfter: content.validity.notAfter.getTime().getTime(),
    key,
    pathLength: maySignCertificates ? (basic?.pathLenConstraint ?? Number.POSITIVE_INFINITY) : null,
    maySign: basic?.cA !== true && (usage & KeyUsageFlags.digitalSignature) !== 0,
    authorization,
    signed: tbsCertificateRaw,
    signature: rawSignature(certificate.signatureValue),
  });
}

/** @param der a sequence of r and s @returns both with 32 bytes each, as WebCrypto takes them */
function rawSignature(der: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const sequence = parseDer(der);
  if (!(sequence instanceof Sequence)) throw new Error('not a sequence');
  const scalars = sequence.valueBlock.value.map((each) => {
    const scalar = each instanceof Integer ? each.toBigInt() : -1n;
    if (scalar < 0n || scalar >> SCALAR_BITS > 0n) throw new Error('not a scalar');
    return scalar.toString(16).padStart(2 * SCALAR_BYTES, '0');
  });
  return fromHex(scalars.join(''));
}

/** Whether the key of `issuer` signed the certificate. A point that is not on the curve signs nothing. */
export async function isSignedBy(
  certificate: ParsedCertificate,
  issuer: ParsedCertificate,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', issuer.key, ECDSA, false, ['verify']).catch(() => null);
  return key !== null && crypto.subtle.verify(ECDSA, key, certificate.signature, certificate.signed);
}
