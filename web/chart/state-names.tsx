/** States by their names, which break at their dots and underscores where there is little room. */
import { toTargetName } from '../../src/charts/target-name.ts'

export function StateNames({ ids, root }: { readonly ids: readonly string[]; readonly root: string }) {
  const parts = ids
    .map((id) => toTargetName(id, root))
    .join(', ')
    .split(/(?<=[._])/u)
  return (
    <>
      {parts.map((part, place) => (
        <>
          {place > 0 && <wbr />}
          {part}
        </>
      ))}
    </>
  )
}
