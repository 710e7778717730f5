/** Mixing of 64-bit words, for signatures and for choices that must look random and be repeatable.
 */
#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <stdint.h>

/** A bijection in which every bit of @x moves about half of the result's: the finaliser of
 *  SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"). */
static inline uint64_t sim_hash_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
