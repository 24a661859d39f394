/** Every word the page shows, in both languages. */
const korean = {
  about: '소개',
  add: '추가',
  empty: '아직 항목이 없습니다.',
  failed: '항목을 불러오지 못했습니다.',
  home: '항목',
  other: 'English',
  purpose: 'O4O는 항목을 모아 두는 작은 서비스입니다.',
  title: '제목',
}

export type Words = typeof korean
export type Language = 'ko' | 'en'

const english: Words = {
  about: 'About',
  add: 'Add',
  empty: 'There are no items yet.',
  failed: 'The items could not be loaded.',
  home: 'Items',
  other: '한국어',
  purpose: 'O4O is a small service that keeps items.',
  title: 'Title',
}

export const words: Record<Language, Words> = { ko: korean, en: english }

export function preferredLanguage(): Language {
  return navigator.language.startsWith('ko') ? 'ko' : 'en'
}
