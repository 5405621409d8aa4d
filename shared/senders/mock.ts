/**
 * Mock registrations: those of mock clients. The service decides on them at once, by the last digit of the number, so
 * that a sender can test every answer of a review. They are never published, so real traffic never sees them.
 */
import type { RegistrationAction, RegistrationReason } from './registration.ts';

export type MockDecision = Extract<RegistrationAction, 'approve' | 'requestUpdate' | 'reject'> | null;

/** 7: a document is requested. 8: rejected. 9: stays in review. All others: approved. */
export function mockDecision(n: number): MockDecision {
  switch (n % 10) {
    case 7:
      return 'requestUpdate';
    case 8:
      return 'reject';
    case 9:
      return null;
    default:
      return 'approve';
  }
}

export const MOCK_REASONS: Readonly<Record<'requestUpdate' | 'reject', readonly RegistrationReason[]>> = {
  requestUpdate: [
    {
      ...{ field: 'proofs', code: 'PROOF_UNREADABLE' },
      detail: 'a mock decision: the number ends with 7',
      help: 'send the proofs again, and end the number with another digit',
    },
  ],
  reject: [
    {
      ...{ field: 'holder', code: 'HOLDER_MISMATCH' },
      detail: 'a mock decision: the number ends with 8',
      help: 'end the number with another digit',
    },
  ],
};
