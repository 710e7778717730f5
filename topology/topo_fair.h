/** Weighted max-min fair sharing of links. A variable is whatever has one rate: a flow, or all the
 *  groups of a collective at once. At rate x bytes/s it puts weight * x bytes/s on each link of its
 *  list. Indices, not pointers: links are numbered from 0, variables as they are added, and the
 *  number of a removed variable is given out again. */
#ifndef TOPO_FAIR_H
#define TOPO_FAIR_H

#include <glib.h>
#include <stdint.h>

/** Instead of a position in the list of links: its own rate bound holds a variable back, or nothing
 *  does. */
#define TOPO_FAIR_OWN_BOUND UINT32_MAX

/** One variable to add. All is copied. */
typedef struct TopoFairVariable {
    const uint32_t *links; /* may name a link twice: the weights add up */
    const double *weights; /* bytes on that link for each byte of progress; 0: link not used */
    uint32_t count;
    double sharing_weight;         /* rates rise in proportion to it; 0 stands still at rate 0 */
    double rate_bound_bytes_per_s; /* INFINITY for none */
} TopoFairVariable;

/** Links, variables and their rates. */
typedef struct TopoFair TopoFair;

/** @link_count links of the given capacities (0: down, INFINITY: no limit), copied; no variables.
 *  Owned by the caller. */
TopoFair *topo_fair_new(const double *capacity_bytes_per_s, uint32_t link_count);

/** Frees @fair; NULL is fine. */
void topo_fair_free(TopoFair *fair);

/** Adds @variable and returns its number; rate 0 until the next solve. Negative or NaN numbers are
 *  a bug. O(links of the variable). */
uint32_t topo_fair_add(TopoFair *fair, const TopoFairVariable *variable);

/** Removes @variable; the others keep their rates until the next solve. */
void topo_fair_remove(TopoFair *fair, uint32_t variable);

/** Sets the capacity of @link from the next solve on. */
void topo_fair_set_capacity(TopoFair *fair, uint32_t link, double capacity_bytes_per_s);

/** Brings all rates up to date; looks only at variables that a change since the last solve can
 *  reach. */
void topo_fair_solve(TopoFair *fair);

/** The rate of @variable in the last solve. A variable that uses no link has its own bound, or
 *  INFINITY. */
double topo_fair_rate_bytes_per_s(const TopoFair *fair, uint32_t variable);

/** What holds @variable back since the last solve: the position in its list of a link that is full
 *  (the first to fill up, when several do at once), or TOPO_FAIR_OWN_BOUND. */
uint32_t topo_fair_bottleneck(const TopoFair *fair, uint32_t variable);

/** The variables whose rate or bottleneck the last solve changed, new ones among them; their number
 *  into @count. Borrowed, good until the next call that changes @fair. */
const uint32_t *topo_fair_changed(const TopoFair *fair, uint32_t *count);

/** How many variables the last solve had to look at. */
uint32_t topo_fair_solved_count(const TopoFair *fair);

/** How many entries of variables' lists use @link now. */
uint32_t topo_fair_link_users(const TopoFair *fair, uint32_t link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoFair, topo_fair_free)

#endif
