/** Calls that the house rules forbid, made into compile errors in every file: unseeded randomness,
 * locale-dependent parsing, unbounded printing, and the wall clock on a path that must be
 * deterministic. */
#ifndef BANNED_H
#define BANNED_H

#ifndef __cplusplus
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison rand srand random drand48 strtod strtof atof sprintf vsprintf strcpy strcat gets
#endif

#endif
