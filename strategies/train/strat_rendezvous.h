/** Where classes meet: groups of ranks become rendezvous of a program. */
#ifndef STRAT_RENDEZVOUS_H
#define STRAT_RENDEZVOUS_H

#include "sim_program.h"
#include "strat_fold.h"

#include <glib.h>

/** A family: the same group of classes, meeting again and again. */
typedef uint32_t StratFamily;

typedef struct StratRendezvous StratRendezvous;

/** For @program, whose classes are those of @fold; both are borrowed. Free with
 *  strat_rendezvous_free(). */
StratRendezvous *strat_rendezvous_new(SimProgram *program, const StratFold *fold);

void strat_rendezvous_free(StratRendezvous *rendezvous);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratRendezvous, strat_rendezvous_free)

/** The family of the classes that the ranks of @group fall into, meeting for @purpose (a word: the
 *  same ranks may meet for several); SIM_GROUP_NONE when they are all of one class, which needs to
 *  wait for nobody. */
StratFamily strat_rendezvous_family(StratRendezvous *rendezvous, const StratGroup *group,
                                    const char *purpose);

/** The program's group in which the @nth operations of the members of @family meet. */
uint32_t strat_rendezvous_at(StratRendezvous *rendezvous, StratFamily family, uint32_t nth);

#endif
