/*
 * Weighted max-min fair sharing, kept up to date: the lists, and who must be looked at again.
 *
 * Rates x (bytes/s) of variables v with sharing weight s(v) and bound b(v), on links l of capacity
 * C(l), where v puts w(v,l) x(v) bytes/s on l:
 *
 *     sum over v of w(v,l) x(v) <= C(l),   x(v) <= b(v),
 *
 * and x is the max-min fair one: the least of x(v) / s(v) is as large as can be, then the next, and
 * so on (Bertsekas and Gallager, Data Networks, 2nd ed. 1992, section 6.5.2; with weights and
 * bounds as in SimGrid's LMM, Casanova, Giersch, Legrand, Quinson, Suter 2014). It is the only one
 * in which every variable either runs at its bound or crosses a full link where no other variable
 * has a larger x / s. topo_fair_fill.c computes it by progressive filling.
 *
 * A change reaches only its connected component: variables are neighbours when they meet on a link.
 * Most meetings are harmless. With the ceiling of a variable, its rate if it were alone,
 *
 *     c(v) = min(b(v), min over its links of C(l) / w(v,l)),
 *
 * a link with  sum over v of w(v,l) c(v) <= C(l)  cannot hold anybody back, whatever the others do:
 * it is not tight, and joins nothing. So a fabric without oversubscription falls apart into small
 * components, and a variable that meets nobody on a tight link runs at its ceiling at no cost. The
 * sums are kept by adding and subtracting, and taken afresh after as many updates as terms, which
 * costs O(1) an update and keeps the error of n terms to some n * 2.2e-16 of the sum; a link that
 * is over by that or by SLACK may count as not tight, and is then filled by that much too much.
 *
 * Arrays grow when the system is larger than ever before; runs of entries and numbers of variables
 * are reused through free lists, so a system in steady state allocates nothing. Order of all sums
 * follows from the order of calls alone: equal calls give equal bits.
 *
 * Left out: rates that are not proportional on all links of a variable, and the RTT bias and slow
 * start of TCP: this is how credit-based or well-tuned RDMA fabrics share.
 */
#include "topo_fair.h"

#include <math.h>
#include <string.h>

#include "topo_fair_private.h"

/* Relative overload of a link that is within the rounding of its capacity. */
static const double SLACK = 1e-12;

/* Sums of fewer terms than this are not taken afresh more often than after so many updates. */
enum {
    FEW_UPDATES = 16,
};

TopoFair *topo_fair_new(const double *capacity_bytes_per_s, uint32_t link_count)
{
    TopoFair *fair = g_new0(TopoFair, 1);
    fair->links = g_new0(FairLink, link_count);
    fair->is_tight = g_new0(bool, link_count);
    fair->link_visit = g_new0(uint64_t, link_count);
    fair->touched_links = g_new(uint32_t, link_count);
    fair->stops = g_new(FairStop, link_count);
    fair->link_count = link_count;
    fair->free_variable = FAIR_NONE;
    for (uint32_t i = 0; i < link_count; i++) {
        g_assert(capacity_bytes_per_s[i] >= 0.0);
        fair->links[i].capacity = capacity_bytes_per_s[i];
        fair->links[i].head = FAIR_NONE;
    }
    for (uint32_t i = 0; i < FAIR_ROOM_CLASSES; i++)
        fair->free_entries[i] = FAIR_NONE;
    return fair;
}

void topo_fair_free(TopoFair *fair)
{
    if (fair == NULL)
        return;
    g_free(fair->links);
    g_free(fair->variables);
    g_free(fair->entries);
    g_free(fair->is_tight);
    g_free(fair->is_rising);
    g_free(fair->link_visit);
    g_free(fair->variable_visit);
    g_free(fair->stops);
    g_free(fair->touched_links);
    g_free(fair->touched_variables);
    g_free(fair->component);
    g_free(fair->changed);
    g_free(fair);
}

static void touch_link(TopoFair *fair, uint32_t link)
{
    if (fair->links[link].is_touched)
        return;
    fair->links[link].is_touched = true;
    fair->touched_links[fair->touched_link_count++] = link;
}

static void touch_variable(TopoFair *fair, uint32_t variable)
{
    if (fair->variables[variable].is_touched)
        return;
    fair->variables[variable].is_touched = true;
    fair->touched_variables[fair->touched_variable_count++] = variable;
}

static uint32_t take_variable(TopoFair *fair)
{
    uint32_t taken = fair->free_variable;
    if (taken != FAIR_NONE) {
        fair->free_variable = fair->variables[taken].next;
        return taken;
    }
    if (fair->variable_count == fair->variable_room) {
        uint32_t room = fair->variable_room = MAX(64, 2 * fair->variable_room);
        fair->variables = g_renew(FairVariable, fair->variables, room);
        fair->is_rising = g_renew(bool, fair->is_rising, room);
        fair->variable_visit = g_renew(uint64_t, fair->variable_visit, room);
        fair->touched_variables = g_renew(uint32_t, fair->touched_variables, room);
        fair->component = g_renew(uint32_t, fair->component, room);
        fair->changed = g_renew(uint32_t, fair->changed, room);
        fair->stops = g_renew(FairStop, fair->stops, (size_t)fair->link_count + room);
    }
    fair->variables[fair->variable_count].is_touched = false;
    fair->variable_visit[fair->variable_count] = 0;
    return fair->variable_count++;
}

static uint8_t room_for(uint32_t count)
{
    uint8_t room = 0;
    while ((UINT64_C(1) << room) < count)
        room++;
    return room;
}

static uint32_t take_entries(TopoFair *fair, uint8_t room)
{
    uint32_t taken = fair->free_entries[room];
    if (taken != FAIR_NONE) {
        fair->free_entries[room] = fair->entries[taken].next;
        return taken;
    }
    uint64_t end = (uint64_t)fair->entry_count + (UINT64_C(1) << room);
    g_assert(end < FAIR_NONE);
    if (end > fair->entry_room) {
        uint64_t grown = MAX(MAX(end, 1024), MIN(2 * (uint64_t)fair->entry_room, FAIR_NONE));
        fair->entry_room = (uint32_t)grown;
        fair->entries = g_renew(FairEntry, fair->entries, grown);
    }
    taken = fair->entry_count;
    fair->entry_count = (uint32_t)end;
    return taken;
}

/* Sets the ceiling of @v from the capacities as they are. */
static void find_ceiling(const TopoFair *fair, FairVariable *v)
{
    v->ceiling = v->bound;
    v->lowest = TOPO_FAIR_OWN_BOUND;
    for (uint32_t i = 0; i < v->count; i++) {
        const FairEntry *entry = &fair->entries[v->first + i];
        if (entry->weight <= 0.0)
            continue;
        double alone = fair->links[entry->link].capacity / entry->weight;
        if (alone < v->ceiling) {
            v->ceiling = alone;
            v->lowest = i;
        }
    }
}

/* What @entry adds to the demand on its link. A variable without a ceiling is only on links without
 * a limit, where the demand does not matter. */
static double demand_of(const FairEntry *entry, const FairVariable *v)
{
    return isinf(v->ceiling) ? 0.0 : entry->weight * v->ceiling;
}

static void change_demand(TopoFair *fair, uint32_t link, double by)
{
    fair->links[link].demand += by;
    fair->links[link].updates++;
    touch_link(fair, link);
}

static void join_link(TopoFair *fair, uint32_t at)
{
    FairEntry *entry = &fair->entries[at];
    FairLink *link = &fair->links[entry->link];
    entry->previous = FAIR_NONE;
    entry->next = link->head;
    if (link->head != FAIR_NONE)
        fair->entries[link->head].previous = at;
    link->head = at;
    link->users++;
}

static void leave_link(TopoFair *fair, uint32_t at)
{
    const FairEntry *entry = &fair->entries[at];
    FairLink *link = &fair->links[entry->link];
    if (entry->previous != FAIR_NONE)
        fair->entries[entry->previous].next = entry->next;
    else
        link->head = entry->next;
    if (entry->next != FAIR_NONE)
        fair->entries[entry->next].previous = entry->previous;
    link->users--;
}

uint32_t topo_fair_add(TopoFair *fair, const TopoFairVariable *variable)
{
    g_assert(variable->sharing_weight >= 0.0 && variable->rate_bound_bytes_per_s >= 0.0);
    uint32_t number = take_variable(fair);
    FairVariable *v = &fair->variables[number];
    v->rate = 0.0;
    v->sharing = variable->sharing_weight;
    v->bound = variable->rate_bound_bytes_per_s;
    v->count = variable->count;
    v->held = FAIR_UNSOLVED;
    v->room = room_for(variable->count);
    v->first = take_entries(fair, v->room);
    v->is_live = true;
    for (uint32_t i = 0; i < v->count; i++) {
        g_assert(variable->links[i] < fair->link_count && variable->weights[i] >= 0.0);
        FairEntry *entry = &fair->entries[v->first + i];
        entry->weight = variable->weights[i];
        entry->load = variable->weights[i] * variable->sharing_weight;
        g_assert(entry->load > 0.0 || entry->weight == 0.0 || v->sharing == 0.0); /* underflow */
        entry->link = variable->links[i];
        entry->variable = number;
    }
    find_ceiling(fair, v);
    for (uint32_t i = v->first; i < v->first + v->count; i++) {
        if (fair->entries[i].weight <= 0.0)
            continue;
        join_link(fair, i);
        change_demand(fair, fair->entries[i].link, demand_of(&fair->entries[i], v));
    }
    touch_variable(fair, number);
    return number;
}

void topo_fair_remove(TopoFair *fair, uint32_t variable)
{
    FairVariable *v = &fair->variables[variable];
    g_assert(variable < fair->variable_count && v->is_live);
    for (uint32_t i = v->first; i < v->first + v->count; i++) {
        if (fair->entries[i].weight <= 0.0)
            continue;
        leave_link(fair, i);
        change_demand(fair, fair->entries[i].link, -demand_of(&fair->entries[i], v));
    }
    fair->entries[v->first].next = fair->free_entries[v->room];
    fair->free_entries[v->room] = v->first;
    v->is_live = false;
    v->next = fair->free_variable;
    fair->free_variable = variable;
}

/* Finds the ceiling of @variable again, and brings the demand on its links up to date. */
static void renew_ceiling(TopoFair *fair, uint32_t variable)
{
    FairVariable *v = &fair->variables[variable];
    FairVariable before = *v;
    find_ceiling(fair, v);
    touch_variable(fair, variable);
    if (v->ceiling == before.ceiling)
        return;
    for (uint32_t i = v->first; i < v->first + v->count; i++) {
        const FairEntry *entry = &fair->entries[i];
        if (entry->weight > 0.0)
            change_demand(fair, entry->link, demand_of(entry, v) - demand_of(entry, &before));
    }
}

void topo_fair_set_capacity(TopoFair *fair, uint32_t link, double capacity_bytes_per_s)
{
    g_assert(link < fair->link_count && capacity_bytes_per_s >= 0.0);
    fair->links[link].capacity = capacity_bytes_per_s;
    touch_link(fair, link);
    for (uint32_t i = fair->links[link].head; i != FAIR_NONE; i = fair->entries[i].next)
        renew_ceiling(fair, fair->entries[i].variable);
}

static bool find_tight(TopoFair *fair, FairLink *link)
{
    if (link->updates > MAX(link->users, FEW_UPDATES) || link->users == 0) {
        link->demand = 0.0;
        link->updates = 0;
        for (uint32_t i = link->head; i != FAIR_NONE; i = fair->entries[i].next) {
            const FairEntry *entry = &fair->entries[i];
            link->demand += demand_of(entry, &fair->variables[entry->variable]);
        }
    }
    return link->users > 1 && link->demand > link->capacity * (1.0 + SLACK);
}

/* Settles all on @link, which is tight or was: one component if it still is, else maybe several. */
static void solve_around(TopoFair *fair, uint32_t link)
{
    uint32_t at = fair->links[link].head;
    if (fair->link_visit[link] == fair->visit)
        return;
    for (; at != FAIR_NONE; at = fair->is_tight[link] ? FAIR_NONE : fair->entries[at].next)
        topo_fair_fill(fair, fair->entries[at].variable);
}

void topo_fair_solve(TopoFair *fair)
{
    uint32_t kept = 0;
    fair->visit++;
    fair->changed_count = 0;
    fair->solved_count = 0;
    for (uint32_t i = 0; i < fair->touched_link_count; i++) {
        uint32_t link = fair->touched_links[i];
        bool was_tight = fair->is_tight[link];
        fair->is_tight[link] = find_tight(fair, &fair->links[link]);
        fair->links[link].is_touched = false;
        if (was_tight || fair->is_tight[link])
            fair->touched_links[kept++] = link;
    }
    for (uint32_t i = 0; i < kept; i++)
        solve_around(fair, fair->touched_links[i]);
    for (uint32_t i = 0; i < fair->touched_variable_count; i++) {
        FairVariable *v = &fair->variables[fair->touched_variables[i]];
        v->is_touched = false;
        if (v->is_live)
            topo_fair_fill(fair, fair->touched_variables[i]);
    }
    fair->touched_link_count = 0;
    fair->touched_variable_count = 0;
}

double topo_fair_rate_bytes_per_s(const TopoFair *fair, uint32_t variable)
{
    return fair->variables[variable].rate;
}

uint32_t topo_fair_bottleneck(const TopoFair *fair, uint32_t variable)
{
    return fair->variables[variable].held;
}

const uint32_t *topo_fair_changed(const TopoFair *fair, uint32_t *count)
{
    *count = fair->changed_count;
    return fair->changed;
}

uint32_t topo_fair_solved_count(const TopoFair *fair)
{
    return fair->solved_count;
}

uint32_t topo_fair_link_users(const TopoFair *fair, uint32_t link)
{
    return fair->links[link].users;
}
