/**
 * The texts that appellants read about their appeal, in Korean and English. Data only. No other file has such texts.
 */
import type { Code } from '../verdict.ts';
import type { AppealStatus, People, Rejection } from './appeal.ts';

/** The response to a new appeal. */
export const RECEIVED: People = {
  ko: '이의신청을 접수했습니다. 함께 드린 접수 토큰으로 처리 상태를 확인하실 수 있으니 잘 보관해 주세요.',
  en: 'We have received your appeal. Keep the token that comes with this message: you need it to follow your appeal.',
};

export const STATE_TEXTS: Readonly<Record<AppealStatus['state'], People>> = {
  received: {
    ko: '이의신청이 접수되어 담당자의 검토를 기다리고 있습니다.',
    en: 'Your appeal is waiting for a reviewer.',
  },
  inReview: {
    ko: '담당자가 이의신청을 검토하고 있습니다.',
    en: 'A reviewer is looking at your appeal.',
  },
  accepted: {
    ko: '이의신청이 받아들여져 차단을 해제했습니다. 몇 초 안에 모든 사업자에게 적용됩니다.',
    en: 'Your appeal was accepted, and the block was lifted. It takes effect everywhere within seconds.',
  },
  rejected: {
    ko: '검토한 결과 차단을 유지하기로 했습니다. 아래 사유를 확인해 주세요. 새로운 자료가 있으면 7일 후에 다시 신청하실 수 있습니다.',
    en: 'After a review, the block stays. The reason is below. If you have new evidence, you can appeal again after 7 days.',
  },
  noLongerBlocked: {
    ko: '이 차단은 이미 해제되었습니다. 따로 하실 일은 없습니다.',
    en: 'This block has ended already. There is nothing more for you to do.',
  },
  unmatched: {
    ko: '보내 주신 참조 번호와 일치하는 차단을 찾지 못했습니다. 발송 사업자에게 받은 참조 번호를 그대로 다시 입력해 주세요.',
    en: 'No block matches the reference that you sent. Copy the reference exactly as your provider gave it to you, and appeal again.',
  },
};

/** For an appeal that joined an appeal against the same block that was rejected shortly before. */
export const REJECTED_BEFORE: People = {
  ko: '같은 차단에 대한 이의신청을 최근에 검토하여 차단을 유지하기로 했으며, 그 결정이 이번 신청에도 적용됩니다. 아래 사유를 확인해 주세요. 새로운 자료가 있으면 그 결정 7일 후에 다시 신청하실 수 있습니다.',
  en: 'An appeal against the same block was rejected shortly before you sent yours, and that decision also applies to yours. The reason is below. If you have new evidence, you can appeal again 7 days after that decision.',
};

export const REJECTION_TEXTS: Readonly<Record<Rejection, People>> = {
  REPORTS_CONFIRMED: {
    ko: '접수된 스팸 신고가 사실로 확인되었습니다.',
    en: 'The reports of spam from this sender proved to be true.',
  },
  NUMBER_NOT_IN_SERVICE: {
    ko: '통신사 확인 결과 현재 사용 중인 번호가 아닙니다.',
    en: 'The carrier states that this number is not in service.',
  },
  NUMBER_MISUSED: {
    ko: '해당 번호가 번호 도용이나 불법 발신에 이용된 사실이 확인되었습니다. 번호를 도용당하셨다면 가입하신 통신사에 알려 주세요.',
    en: 'The number was used for spoofing or illegal traffic. If somebody else misused your number, inform your carrier.',
  },
  HOLDER_UNPROVEN: {
    ko: '신청하신 분이 번호의 명의자인지 확인할 수 없습니다. 다시 신청하시면서 통신서비스 이용증명원 등 증빙 자료를 요청드릴 연락처를 남겨 주시거나, 이용하시는 발송 사업자를 통해 제출해 주세요.',
    en: 'We could not establish that you hold this number. Appeal again with a contact at which a reviewer can reach you for evidence, such as a certificate from your carrier, or appeal through the company that sends texts for you.',
  },
  AUTHORITY_ORDER: {
    ko: '수사기관 또는 관계 기관의 요청에 따른 차단입니다. 해당 기관에 문의해 주세요.',
    en: 'The police or another public authority requested this block. Please contact that authority.',
  },
  INFORMATION_MISSING: {
    ko: '신청 내용만으로는 차단이 잘못되었는지 판단할 수 없습니다. 구체적인 경위와 연락처를 적어 다시 신청해 주세요.',
    en: 'Your statement does not show why the block is wrong. Appeal again, describe what happened, and add a contact.',
  },
};

/** For codes that MEANINGS lacks. */
const OTHER_MEANING: People = {
  ko: '이 번호 또는 발신자 이름은 차단 목록에 등록되어 있습니다.',
  en: 'This number or sender name is on a block list.',
};

const MEANINGS: Readonly<Partial<Record<Code, People>>> = {
  NUMBER_FORMAT_INVALID: {
    ko: '번호 체계에 없는 번호입니다.',
    en: 'No such number exists in the numbering plan.',
  },
  NUMBER_UNALLOCATED: {
    ko: '어느 통신사에도 부여되지 않은 번호입니다.',
    en: 'This number is not allocated to any carrier.',
  },
  NUMBER_SUSPENDED: {
    ko: '이용이 정지된 번호입니다. 가입하신 통신사에서 정지 사유를 확인해 주세요.',
    en: 'Service of this number is suspended. Your carrier can say why.',
  },
  NUMBER_TERMINATED: {
    ko: '해지된 번호입니다.',
    en: 'The contract of this number has ended.',
  },
  SENDER_FORMAT_RULE: {
    ko: '발신번호로 사용할 수 없는 형식입니다.',
    en: 'Numbers of this form may not be used as a sender.',
  },
  SENDER_NOT_REGISTERED: {
    ko: '사전에 등록되지 않은 발신번호입니다. 이용하시는 문자 발송 사업자에 발신번호를 등록해 주세요.',
    en: 'This sender number is not registered. Register it with your text messaging provider.',
  },
  SENDER_IDENTITY_OPTOUT: {
    ko: '명의자가 번호도용 문자차단 서비스에 가입한 번호라 인터넷 문자의 발신번호로 쓸 수 없습니다.',
    en: 'The holder of this number has asked that no web text show it as the sender.',
  },
  SENDER_REPORTED: {
    ko: '스팸으로 신고된 발신자입니다.',
    en: 'Recipients reported this sender for spam.',
  },
  SENDER_UNQUALIFIED: {
    ko: '전송자격인증을 받지 않은 사업자가 보낸 문자입니다.',
    en: 'The company that sends the text has no certification for bulk texts.',
  },
  SENDER_SUSPENDED: {
    ko: '전송자격이 정지된 사업자가 보낸 문자입니다.',
    en: 'The certification of the company that sends the text is suspended.',
  },
  CERTIFICATE_EXPIRED: {
    ko: '통신서비스 이용증명의 유효기간이 지났습니다.',
    en: 'The certificate for the use of this number has expired.',
  },
  CERTIFICATE_REVOKED: {
    ko: '통신서비스 이용증명이 취소되었습니다.',
    en: 'The certificate for the use of this number was revoked.',
  },
  DOMESTIC_CLI_FROM_ABROAD: {
    ko: '해외에서 국내 번호로 표시되어 들어온 전화 또는 문자입니다.',
    en: 'A call or text from abroad showed this domestic number as its sender.',
  },
  OVERSEAS_NUMBER_LISTED: {
    ko: '불법스팸 발송이 확인된 해외 번호입니다.',
    en: 'Illegal spam was sent from this foreign number.',
  },
  OVERSEAS_RANGE_LISTED: {
    ko: '불법스팸 발송이 확인된 해외 번호 대역에 속한 번호입니다.',
    en: 'Illegal spam was sent from the range that this foreign number belongs to.',
  },
  OVERSEAS_SOURCE_LISTED: {
    ko: '불법스팸 발송이 확인된 해외 발신처입니다.',
    en: 'Illegal spam was sent from this foreign source.',
  },
  TEXT_CAMPAIGN: {
    ko: '스팸으로 확인된 문자와 내용이 같거나 매우 비슷한 문자입니다.',
    en: 'The text is the same as, or very similar to, one that was confirmed as spam.',
  },
  TEXT_HOST_LISTED: {
    ko: '차단 목록에 등록된 인터넷 주소가 들어 있는 문자입니다.',
    en: 'The text has a link to an address on a block list.',
  },
  SUBSCRIBER_DNO: {
    ko: '발신에 쓰이지 않는 번호로 명의자가 등록한 번호입니다.',
    en: 'The holder of this number has stated that it never calls or sends texts.',
  },
  TEXT_SUSPICIOUS: {
    ko: '스팸 문자와 표현이 비슷하여 주의 표시가 붙은 문자입니다. 이 표시만으로는 차단되지 않습니다.',
    en: 'The text is worded like spam, so it has a warning. It is not blocked for that reason.',
  },
};

/** Explains a code to the blocked person. */
export function meaningOf(code: Code): People {
  return MEANINGS[code] ?? OTHER_MEANING;
}
