/**
 * The hand-written types of the Node client have the fields of the OpenAPI document. Their values may be more open. The
 * comparison takes place when the tests compile.
 */
import { describe, expectTypeOf, it } from 'vitest';
import type * as client from '../../examples/node/client.ts';
import type { components } from '../../examples/node/schema.d.ts';

type Schemas = components['schemas'];

/** All fields of a type, including fields of only some members of a union. */
type Fields<Type> = Type extends unknown ? keyof Type : never;
/**
 * Differences in fields. Ignores fields that the client adds, fields of `"report": "hits"`, which it never sends, and fields
 * that only reviewers get.
 */
type Same<Ours, Theirs> = [
  Exclude<Fields<Ours>, 'unknownVerdict' | Fields<Theirs>>,
  Exclude<Fields<Theirs>, 'index' | 'others' | Fields<Ours>>,
];
type None = [never, never];
type Present<Type> = NonNullable<Type>;

describe('the types of the Node client', () => {
  it('have the fields of the requests', () => {
    expectTypeOf<Same<client.CheckItem, Schemas['BatchItem']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.CheckDefaults, Schemas['BatchDefaults']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayRequest, Schemas['GatewayRequest']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayItem, Schemas['GatewayBatchItem']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayDefaults, Schemas['GatewayBatchDefaults']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.Ingress, Schemas['Ingress']>>().toEqualTypeOf<None>();
  });

  it('have the fields of registrations', () => {
    expectTypeOf<Same<client.SenderRequest, Schemas['SenderCheckRequest']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.SenderAnswer, Schemas['SenderCheckAnswer']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.RegistrationContent, Schemas['RegistrationContent']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.RegistrationProof, Schemas['RegistrationProof']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.Registration, Schemas['SenderRegistration']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.RegistrationReason, Schemas['RegistrationReason']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.RegistrationEvent, Schemas['RegistrationEvent']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.ImportedRow, Schemas['ImportedRow']>>().toEqualTypeOf<None>();
  });

  it('have the fields of credentials', () => {
    expectTypeOf<Same<client.Certificate, Schemas['Certificate']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.Delegation, Schemas['Delegation']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.DelegationContent, Schemas['DelegationProposal']>>().toEqualTypeOf<None>();
  });

  it('have the fields of reports and appeals', () => {
    expectTypeOf<Same<client.SpamReport, Schemas['SpamReport']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.ReportDone, Schemas['ReportAccepted']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.ReportRefused, Schemas['ReportFailed']>>().toEqualTypeOf<None>();
    type Withdrawn = Schemas['WithdrawalResults']['results'][number];
    expectTypeOf<Same<client.WithdrawalAnswer, Withdrawn>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.AppealRequest, Schemas['AppealRequest']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.AppealReceipt, Schemas['AppealReceived']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.AppealProgress, Schemas['AppealStatus']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.PeopleText, Schemas['People']>>().toEqualTypeOf<None>();
  });

  it('have the fields of the responses', () => {
    expectTypeOf<Same<client.CheckAnswer, Schemas['CheckAnswer']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.ItemAnswer, Schemas['StreamAnswer']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.Reason, Schemas['Reason']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.ItemError['error'], Schemas['FieldError']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayAnswer, Schemas['GatewayAnswer']>>().toEqualTypeOf<None>();
    type Batched = Schemas['GatewayItemAnswer'] & client.Head;
    expectTypeOf<Same<client.GatewayItemAnswer, Batched>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayAnswer['policy'], Schemas['GatewayPolicyRule']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<client.GatewayAnswer['evidence'], Schemas['Evidence']>>().toEqualTypeOf<None>();
    type Answer = client.GatewayAnswer;
    expectTypeOf<
      Same<Present<Answer['attestation']>, Schemas['AttestationEvidence']>
    >().toEqualTypeOf<None>();
    expectTypeOf<Same<Present<Answer['identity']>, Schemas['IdentityEvidence']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<Present<client.GatewayAnswer['sip']>, Schemas['SipAnswer']>>().toEqualTypeOf<None>();
    expectTypeOf<Same<Present<client.GatewayAnswer['smpp']>, Schemas['SmppAnswer']>>().toEqualTypeOf<None>();
  });
});
