/** The inside of a TopoFair, for its own two files: topo_fair.c keeps the lists, topo_fair_fill.c
 *  computes the rates. */
#ifndef TOPO_FAIR_PRIVATE_H
#define TOPO_FAIR_PRIVATE_H

#include <stdbool.h>

#include "topo_fair.h"

enum {
    FAIR_ROOM_CLASSES = 32,
};

/** No entry, no variable. */
#define FAIR_NONE UINT32_MAX

/** The bottleneck of a variable that was never solved. */
#define FAIR_UNSOLVED (UINT32_MAX - 1)

typedef struct FairLink {
    double capacity;    /* bytes/s */
    double demand;      /* bytes/s, if every variable on it ran at its ceiling */
    double used;        /* while filling: bytes/s of variables whose rate is settled */
    double load;        /* while filling: bytes/s for each unit of level, of those still rising */
    double load_origin; /* the load when it was last summed up afresh */
    uint32_t rising;    /* while filling: entries of variables still rising */
    uint32_t head;      /* first of its entries */
    uint32_t users;     /* number of its entries */
    uint32_t updates;   /* of the demand, since it was last summed up afresh */
    bool is_touched;    /* in the list of touched links */
} FairLink;

typedef struct FairVariable {
    double rate;     /* bytes/s */
    double sharing;  /* weight */
    double bound;    /* bytes/s */
    double ceiling;  /* bytes/s if it were alone: the least of its bound and capacity / weight */
    uint32_t first;  /* of its entries */
    uint32_t count;  /* of its entries */
    uint32_t next;   /* free variable, while itself free */
    uint32_t held;   /* bottleneck: position, TOPO_FAIR_OWN_BOUND or FAIR_UNSOLVED */
    uint32_t lowest; /* where the ceiling comes from: position or TOPO_FAIR_OWN_BOUND */
    uint8_t room;    /* it has room for 2^room entries */
    bool is_live;
    bool is_touched; /* in the list of touched variables */
} FairVariable;

/** A variable on a link. The entries of a variable lie side by side, those of a link are chained;
 *  an entry of weight 0 is in no chain. */
typedef struct FairEntry {
    double weight;
    double load; /* weight * sharing: bytes/s for each unit of level */
    uint32_t link;
    uint32_t variable;
    uint32_t previous, next; /* entry of the link; the next free run, while itself free */
} FairEntry;

/** Something that ends the rise of one or more variables, at the earliest at @level. */
typedef struct FairStop {
    double level; /* bytes/s for each unit of sharing weight */
    uint32_t id;  /* a link, or link_count + a variable that reaches its ceiling */
} FairStop;

struct TopoFair {
    FairLink *links; /* what is looked up most lies apart, to stay in the cache */
    FairVariable *variables;
    FairEntry *entries;
    bool *is_tight;              /* by link: may fill up; else its variables do not meet there */
    bool *is_rising;             /* by variable, while filling */
    uint64_t *link_visit;        /* the last solve that came by */
    uint64_t *variable_visit;    /* the last solve that came by */
    FairStop *stops;             /* heap, least (level, id) first */
    uint32_t *touched_links;     /* since the last solve */
    uint32_t *touched_variables; /* since the last solve, removed ones among them */
    uint32_t *component;         /* variables of the component at hand */
    uint32_t *changed;
    uint64_t visit; /* number of this solve */
    uint32_t link_count;
    uint32_t variable_count, variable_room;
    uint32_t entry_count, entry_room;
    uint32_t stop_count;
    uint32_t touched_link_count, touched_variable_count;
    uint32_t component_count;
    uint32_t changed_count;
    uint32_t solved_count;
    uint32_t free_variable;                   /* first of a chain */
    uint32_t free_entries[FAIR_ROOM_CLASSES]; /* first run of 2^i free entries, of a chain */
};

/** Settles the rates of the component of @variable, unless this solve has done so: of all that it
 *  can reach through tight links. Appends to fair->changed. */
void topo_fair_fill(TopoFair *fair, uint32_t variable);

#endif
