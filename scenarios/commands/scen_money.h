/** What a serving run costs, in all and by the token. */
#ifndef SCEN_MONEY_H
#define SCEN_MONEY_H

#include "scen_scenario.h"
#include "strat_serve.h"

/** Dollars; figures that do not exist (no tokens of that kind, no price) are 0. */
typedef struct ScenMoney {
    double gpu_hours;          /* of the GPUs that were up, idle time counted */
    double busy_gpu_hours;     /* of these, in iterations */
    double usd_per_gpu_hour;   /* rent, or the purchase written off */
    double energy_kwh;         /* at the meter of the building */
    double usd_energy;         /* of that; 0 where a GPU is rented */
    double usd_total;          /* GPU-hours and energy */
    double usd_per_day;        /* of that, for 24 hours of the run */
    double usd_prompts;        /* of the total, what computed prompts */
    double usd_outputs;        /* and what decoded; the rest is attention to cached tokens */
    double usd_cached;         /* attention to prompt tokens that were found in the cache */
    double usd_per_input;      /* a million computed prompt tokens */
    double usd_per_cached;     /* a million prompt tokens that were found in the cache */
    double usd_per_output;     /* a million output tokens */
    double usd_per_slo_output; /* the total over a million output tokens of requests that met the
                                  objectives */
    double output_usd_on_busy; /* as usd_per_output, if idle time cost nothing */
    double idle_fraction;      /* of the GPU-hours */
} ScenMoney;

/** Rent of a GPU-hour, or its purchase written off, in $; 0: no price. */
double scen_money_usd_per_gpu_hour(const ScenCost *cost);

/** @result of @scenario, in money. */
ScenMoney scen_money(const ScenScenario *scenario, const StratServeResult *result);

#endif
