/**
 * Whether an IP address belongs to the public internet. Of IPv4 everything does that IANA has not set aside; of IPv6
 * only what is handed out as global unicast, so mapped, translated and tunnelled IPv4 is none of it.
 */
import { BlockList, isIP } from 'node:net'

const setAside = toList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, and with it the metadata services of clouds.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
])
const globalUnicast = toList('ipv6', [['2000::', 3]])
const setAsideSix = toList('ipv6', [
  // Teredo, ORCHID and other protocols.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4.
  ['2002::', 16],
  ['3fff::', 20],
])

export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return !setAside.check(address, 'ipv4')
  return version === 6 && globalUnicast.check(address, 'ipv6') && !setAsideSix.check(address, 'ipv6')
}

function toList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family)
  return list
}
