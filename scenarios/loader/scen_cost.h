/** What a GPU-hour costs: rented, or bought and powered. */
#ifndef SCEN_COST_H
#define SCEN_COST_H

#include <stdint.h>

typedef struct ScenCost {
    const char *name; /* NULL: the scenario says nothing of money */
    const char *source;
    const char *date;  /* when the price held */
    const char *terms; /* on-demand, reserved, spot, assumed; NULL: not said */
    double gpu_usd_per_h;
    double instance_usd_per_h; /* of @instance_gpus; becomes gpu_usd_per_h */
    int64_t instance_gpus;
    double purchase_usd; /* of one GPU with its share of node and network; instead of rent */
    double years;        /* that the purchase is written off over */
    double idle_w;       /* of one GPU with its share of the node; 0: as under load */
    double load_w;       /* 0: the GPU's board power */
    double pue;          /* power of the building over that of the machines */
    double energy_usd_per_kwh;
} ScenCost;

#endif
