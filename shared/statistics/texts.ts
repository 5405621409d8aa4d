/** Names of tables and of fixed rows, in English and Korean. The names of columns are our own. */

import type { NoticeType } from '../notices/notice.ts';
import type { PartnerKind } from '../reports/partner.ts';
import type { ReportRoute, SpamKind } from '../reports/report.ts';
import type { QualificationState } from '../senders/qualification.ts';

export interface Text {
  readonly en: string;
  readonly ko: string;
}

export const NOT_STATED: Text = { en: 'not stated', ko: '미상' };
export const OTHERS: Text = { en: 'others', ko: '기타' };
export const TOTAL: Text = { en: 'total', ko: '합계' };

export const TABLE_TITLES = {
  reports: { en: 'Reports', ko: '신고 건수' },
  'reports-by-source': { en: 'Reports by kind of reporting partner', ko: '신고·탐지 주체별 건수' },
  'text-by-kind': { en: 'Text spam by kind', ko: '문자 스팸 유형별' },
  'text-by-route': { en: 'Text spam by route', ko: '문자 스팸 발송 경로별' },
  'text-by-origin': { en: 'Text spam by origin', ko: '문자 스팸 발송지별(국내·국외)' },
  'text-from-abroad-by-operator': {
    en: 'Text spam from abroad by operator of entry',
    ko: '국외 발송 문자 스팸 유입 사업자별',
  },
  'voice-by-route': { en: 'Voice spam by route', ko: '음성 스팸 발신 경로별' },
  'voice-by-kind': { en: 'Voice spam by kind', ko: '음성 스팸 유형별' },
  'text-by-relay': { en: 'Text spam by relay', ko: '문자중계사별 문자 스팸' },
  'text-by-reseller': { en: 'Text spam by reseller', ko: '문자재판매사별 문자 스팸' },
  'blocks-by-channel': { en: 'Blocked requests by channel', ko: '채널별 차단 건수' },
  'blocks-by-reason': { en: 'Blocked requests by reason', ko: '사유별 차단 건수' },
  'blocks-by-list': { en: 'Blocked requests by list', ko: '목록별 차단 건수' },
  'blocks-by-operator': { en: 'Blocked requests by operator of entry', ko: '유입 사업자별 차단 건수' },
  'blocks-by-country': { en: 'Blocked requests by country of origin', ko: '발신 국가별 차단 건수' },
  'blocks-by-hour': { en: 'Blocked requests by hour of the day', ko: '시간대별 차단 건수' },
  'appeals-filed': { en: 'Appeals filed', ko: '이의신청 접수 건수' },
  appeals: { en: 'Appeals decided', ko: '이의신청 처리 결과' },
  'rule-blocks-begun': { en: 'Blocks made by rules', ko: '규칙에 따른 신규 차단 건수' },
  'rule-blocks': { en: 'Blocks made by rules that ended', ko: '규칙에 따른 차단의 종료 사유별 건수' },
  notices: { en: 'Notices by type', ko: '유형별 통지 건수' },
  'notices-delivered': { en: 'Notices delivered to a webhook, by type', ko: '유형별 웹훅 전달 건수' },
  'notices-answered': { en: 'Notices answered, by type', ko: '유형별 통지 회신 건수' },
  'subscribers-informed': { en: 'Subscribers informed after guidance', ko: '안내를 받은 가입자 수' },
  certification: { en: 'Sender qualification by state', ko: '전송자격인증 상태별 사업자 수' },
  'inspections-due': { en: 'Inspections due', ko: '점검 도래 사업자 수' },
} as const satisfies Record<string, Text>;
export type TableName = keyof typeof TABLE_TITLES;
export const TABLE_NAMES = Object.keys(TABLE_TITLES) as readonly TableName[];

export const REPORT_ROWS = {
  text: { en: 'text spam', ko: '문자 스팸' },
  voice: { en: 'voice spam', ko: '음성 스팸' },
  notSpam: { en: 'reported as not spam', ko: '스팸이 아니라는 신고' },
} as const satisfies Record<string, Text>;

export const SOURCE_ROWS: Readonly<Record<PartnerKind, Text>> = {
  subscriber: { en: 'subscribers', ko: '이용자 신고' },
  operator: { en: 'operators', ko: '통신사업자' },
  model: { en: 'models', ko: '탐지 모델' },
  police: { en: 'police', ko: '경찰' },
  regulator: { en: 'regulator', ko: '규제기관' },
  honeypot: { en: 'honeypots', ko: '스팸 트랩' },
};

export const KIND_ROWS: Readonly<Record<Exclude<SpamKind, 'notSpam'>, Text>> = {
  gambling: { en: 'gambling', ko: '도박' },
  finance: { en: 'finance (investment)', ko: '금융(투자 유도)' },
  loan: { en: 'illegal loans', ko: '불법 대출' },
  adult: { en: 'adult', ko: '성인' },
  driver: { en: 'designated drivers', ko: '대리운전' },
  telecom: { en: 'telecom sign-up', ko: '통신 가입' },
  medicine: { en: 'medicine', ko: '의약품' },
  phishing: { en: 'phishing', ko: '피싱' },
  other: { en: 'other', ko: '기타' },
};

export const ROUTE_ROWS: Readonly<Record<ReportRoute | 'notStated', Text>> = {
  bulk: { en: 'bulk text service', ko: '대량 문자 발송 서비스' },
  mobile: { en: 'mobile phone', ko: '휴대전화' },
  fixed: { en: 'fixed line', ko: '유선전화' },
  voip: { en: 'internet phone', ko: '인터넷전화' },
  international: { en: 'international', ko: '국제전화' },
  notStated: NOT_STATED,
};

export const ORIGIN_ROWS = {
  domestic: { en: 'sent in Korea', ko: '국내 발송' },
  overseas: { en: 'sent abroad', ko: '국외 발송' },
} as const satisfies Record<string, Text>;

export const RELAY_REST = {
  resellers: { en: 'resellers', ko: '문자재판매사' },
  unregistered: { en: 'sender codes that are not registered', ko: '미등록 식별코드' },
  notStated: NOT_STATED,
} as const satisfies Record<string, Text>;

export const APPEAL_ROWS = {
  accepted: { en: 'accepted', ko: '인용' },
  rejected: { en: 'rejected', ko: '기각' },
  noLongerBlocked: { en: 'no longer blocked', ko: '차단 종료로 종결' },
} as const satisfies Record<string, Text>;

export const RULE_BLOCK_ROWS = {
  unconfirmed: { en: 'provisional, ended without confirmation', ko: '임시 차단이 확정 없이 종료' },
  confirmed: { en: 'confirmed, ended by time', ko: '확정 차단 기간 만료' },
  lifted: { en: 'lifted', ko: '해제' },
} as const satisfies Record<string, Text>;

export const NOTICE_ROWS: Readonly<Record<Exclude<NoticeType, 'test'>, Text>> = {
  'recipients.guidance': { en: 'guidance for recipients', ko: '수신자 안내 요청' },
  'owner.used': { en: 'bulk texts sent with a mobile number', ko: '휴대전화 번호의 대량 문자 발송' },
  'owner.blocked': { en: "a subscriber's number blocked", ko: '가입자 번호 차단' },
  'owner.unblocked': { en: "a subscriber's number unblocked", ko: '가입자 번호 차단 해제' },
  'sender.reported': { en: 'sender reported', ko: '발신번호 신고' },
  'sender.blocked': { en: 'sender blocked', ko: '발신번호 차단' },
  'sender.unblocked': { en: 'sender unblocked', ko: '발신번호 차단 해제' },
  'certificate.expiring': { en: 'certificate expiring', ko: '통신서비스 이용증명원 만료 예정' },
  'registration.expiring': { en: 'registration expiring', ko: '발신번호 등록 만료 예정' },
  'qualification.changed': { en: 'qualification changed', ko: '전송자격인증 변경' },
};

export const QUALIFICATION_ROWS: Readonly<Record<QualificationState, Text>> = {
  pending: { en: 'pending', ko: '신청' },
  certified: { en: 'certified', ko: '인증' },
  rateReduced: { en: 'rate reduced', ko: '전송 속도 축소' },
  suspended: { en: 'suspended', ko: '정지' },
  cancelled: { en: 'cancelled', ko: '취소' },
  expired: { en: 'expired', ko: '만료' },
};

export const CHANNEL_ROWS = {
  sms: { en: 'text', ko: '문자' },
  voice: { en: 'voice', ko: '음성' },
} as const satisfies Record<string, Text>;
