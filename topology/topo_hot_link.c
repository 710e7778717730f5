/*
 * Who waited where. Of each transfer under way the fluid network knows the one link that holds it
 * back; its waits, entry by entry, are summed here by link, and by link and owner, of whom the few
 * that waited longest are kept.
 */
#include "topo_hot_link.h"

#include <string.h>

static gint hotter_first(gconstpointer left, gconstpointer right)
{
    const TopoHotLink *a = left, *b = right;
    if (a->waited_s < b->waited_s || a->waited_s > b->waited_s)
        return a->waited_s < b->waited_s ? 1 : -1;
    if (a->carried_fraction < b->carried_fraction || a->carried_fraction > b->carried_fraction)
        return a->carried_fraction < b->carried_fraction ? 1 : -1;
    return strcmp(a->name, b->name);
}

static void hot_link_clear(TopoHotLink *link)
{
    g_free(link->name);
    g_free(link->curve);
    for (uint32_t i = 0; i < link->waiter_count; i++)
        g_free(link->waiters[i].name);
}

/* Enters @waiter into the few of @link, longest first; of equals the earlier one. */
static void enter_waiter(TopoHotLink *link, TopoWaiter waiter)
{
    uint32_t place = link->waiter_count;
    while (place > 0 && link->waiters[place - 1].waited_s < waiter.waited_s)
        place--;
    if (place == TOPO_WAITERS)
        return;
    uint32_t kept = MIN(link->waiter_count, TOPO_WAITERS - 1);
    memmove(&link->waiters[place + 1], &link->waiters[place], (kept - place) * sizeof waiter);
    link->waiters[place] = waiter;
    link->waiter_count = kept + 1;
}

/* Names who waited for each of @links. Runs of one owner follow each other, so a link whose waiter
 * at hand is another's has all of that one's waits. */
static void find_waiters(const TopoHotBook *book, TopoHotLink *links)
{
    uint32_t count = book->spec->link_count;
    const TopoFluidWait *waits = topo_fluid_waits(book->fluid);
    g_autofree TopoWaiter *at_hand = g_new0(TopoWaiter, MAX(count, 1));
    for (size_t r = 0; r < book->run_count; r++) {
        const TopoHotRun *run = &book->runs[r];
        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            TopoWaiter *waiter = &at_hand[book->spec->links[i]];
            if (waits[i].waited_s <= 0.0)
                continue;
            if (waiter->who != run->who && waiter->waited_s > 0.0)
                enter_waiter(&links[book->spec->links[i]], *waiter);
            if (waiter->who != run->who)
                *waiter = (TopoWaiter){.who = run->who};
            waiter->waited_s += waits[i].waited_s;
        }
    }
    for (uint32_t link = 0; link < count; link++)
        if (at_hand[link].waited_s > 0.0)
            enter_waiter(&links[link], at_hand[link]);
}

static char *link_name(const TopoGraph *graph, uint32_t id)
{
    const TopoLink *link = topo_graph_link(graph, id);
    g_autofree char *from = topo_graph_name(graph, link->from);
    g_autofree char *to = topo_graph_name(graph, link->to);
    return g_strdup_printf("%s -> %s", from, to);
}

GArray *topo_hot_links(const TopoHotBook *book)
{
    uint32_t count = book->spec->link_count;
    GArray *hot = g_array_new(FALSE, TRUE, sizeof(TopoHotLink));
    g_array_set_clear_func(hot, (GDestroyNotify)hot_link_clear);
    g_autofree TopoFluidLinkUse *uses = g_new0(TopoFluidLinkUse, MAX(count, 1));
    topo_fluid_link_uses(book->fluid, uses);
    g_autofree TopoHotLink *waited = g_new0(TopoHotLink, MAX(count, 1));
    find_waiters(book, waited);
    for (uint32_t i = 0; i < count; i++) {
        if (uses[i].carried_bytes <= 0.0)
            continue;
        TopoHotLink link = waited[i];
        double rate = book->spec->capacity_bytes_per_s[i];
        link.name = link_name(book->graph, book->classes ? book->classes[i].link : i);
        link.alike = book->classes ? book->classes[i].alike : 1;
        link.bytes_per_s = rate;
        link.carried_fraction = uses[i].carried_bytes / (rate * book->makespan_s);
        link.saturated_s = uses[i].saturated_s;
        link.waited_s = uses[i].waited_s;
        link.lost_s = uses[i].lost_s;
        link.curve = g_memdup2(topo_fluid_curve(book->fluid, i), sizeof *link.curve);
        g_array_append_val(hot, link);
    }
    g_array_sort(hot, hotter_first);
    return hot;
}
