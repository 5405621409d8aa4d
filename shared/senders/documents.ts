/**
 * The documents that a registration needs, by basis, holder and line. They follow the practice of Korean bulk SMS
 * providers (https://hankukmunja.com/content/board/notice.php?id=335).
 */
import { krClassOf } from '../numbers/plan.ts';
import type { Basis, HolderKind, ProofKind } from './registration.ts';

/** `mobile` or any other line. */
export type Line = 'mobile' | 'other';

export interface DocumentRule {
  readonly basis: Basis;
  readonly holder: HolderKind;
  /** Null: all lines. */
  readonly line: Line | null;
  readonly proofs: readonly ProofKind[];
}

/** For each basis and holder, one rule matches each line. A basis does not fit a holder if they have no rule. */
export const DOCUMENT_RULES: readonly DocumentRule[] = [
  { basis: 'own', holder: 'person', line: 'mobile', proofs: ['identityCheck'] },
  { basis: 'own', holder: 'person', line: 'other', proofs: ['serviceUse'] },
  { basis: 'own', holder: 'organisation', line: null, proofs: ['serviceUse'] },
  { basis: 'staff', holder: 'person', line: null, proofs: ['serviceUse', 'employment'] },
  { basis: 'delegated', holder: 'person', line: null, proofs: ['serviceUse', 'powerOfAttorney'] },
  {
    ...{ basis: 'delegated', holder: 'organisation', line: null },
    proofs: ['serviceUse', 'powerOfAttorney', 'businessRegistration', 'relation'],
  },
];

/** The name of each document, in English and Korean. */
export const DOCUMENTS: Readonly<Record<ProofKind, { readonly name: string; readonly nameKo: string }>> = {
  serviceUse: {
    name: 'certificate of service use, from the carrier of the line',
    nameKo: '통신서비스 이용증명원',
  },
  identityCheck: { name: 'record of the identity check of the mobile number', nameKo: '휴대폰 본인인증' },
  employment: { name: 'certificate of employment', nameKo: '재직증명서' },
  powerOfAttorney: { name: 'power of attorney of the holder', nameKo: '위임장' },
  businessRegistration: { name: 'business registration of the holder', nameKo: '사업자등록증' },
  relation: { name: 'proof of the relation to the holder', nameKo: '관계 증명 서류' },
};

/** The documents that this registration needs; null if the basis does not fit the holder. */
export function requiredProofs(basis: Basis, holder: HolderKind, n: number): readonly ProofKind[] | null {
  const line: Line = krClassOf(n) === 'mobile' ? 'mobile' : 'other';
  const rule = DOCUMENT_RULES.find(
    (each) => each.basis === basis && each.holder === holder && (each.line ?? line) === line,
  );
  return rule?.proofs ?? null;
}

/** `GET /v1/admin/registrations/documents` */
export interface DocumentInfo {
  readonly rules: readonly DocumentRule[];
  readonly documents: readonly { readonly kind: ProofKind; readonly name: string; readonly nameKo: string }[];
}
