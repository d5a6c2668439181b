/**
 * One spelling for what people type in many: lower case, no accents, no punctuation, no emoji, single
 * spaces, and letters that were held down for emphasis written once (`Obrigadooo!! 🙏` → `obrigado`).
 */
export function foldText(text: string): string {
  return (
    text
      // Apostrophes join (`that's` → `thats`); before the decomposition, which turns ´ into a space.
      .replace(/['’‘`´]/gu, '')
      .normalize('NFKD')
      // Accents that the decomposition set free, and invisible joiners.
      .replace(/[\p{M}\p{Cf}]/gu, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .replace(/(\p{L})\1{2,}/gu, '$1')
      .trim()
  )
}
