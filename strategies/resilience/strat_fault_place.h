/** Where faults hit. */
#ifndef STRAT_FAULT_PLACE_H
#define STRAT_FAULT_PLACE_H

#include "strat_fault.h"

/** What a class has hit so far, where nodes differ by a Gamma distribution. */
typedef struct StratFaultPlaces {
    GArray *hits;      /* of int64_t: a node a fault; NULL: nodes do not differ so; owned */
    GHashTable *count; /* of hits by node; only looked up; owned */
} StratFaultPlaces;

StratFaultPlaces strat_fault_places_new(const StratFaultModel *model);
void strat_fault_places_clear(StratFaultPlaces *places);

/** Draws the first node of the unit of @c that a fault hits, by the numbers of @stream; *@excess is
 *  how much more often that node fails than a sound one. */
int64_t strat_fault_place(StratFaultPlaces *places, const StratFaultModel *model,
                          const StratFaultClass *c, SimRandom stream, double *excess);

#endif
