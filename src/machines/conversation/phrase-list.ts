/** Phrases as they are written in the word lists: one per comma, on as many lines as they need. */
export function phraseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((phrase) => phrase.trim().replaceAll(/\s+/gu, ' '))
    .filter((phrase) => phrase !== '')
}
