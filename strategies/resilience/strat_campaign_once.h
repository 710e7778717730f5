/** One replication of a campaign. */
#ifndef STRAT_CAMPAIGN_ONCE_H
#define STRAT_CAMPAIGN_ONCE_H

#include "strat_adapt_table.h"
#include "strat_campaign.h"
#include "strat_relieved.h"

/** What all replications share. Borrowed. */
typedef struct StratCampaignPlan {
    const StratCampaign *campaign;
    SimTime end, step;
    StratRhythm rhythm;
    SimTime memory;    /* between copies in memory */
    SimTime local;     /* between copies on disks; 0: none */
    double *cap_speed; /* of the fleet, by class of faults: 1 for those that cap nothing */
    double step_s;     /* when all is well */
    const StratRelieved *relieved; /* of each class; NULL: slow parts are left alone */
    StratAdaptTable *adapted;      /* of the policy's adaptation; NULL: it has none */
} StratCampaignPlan;

/** What came of one. */
typedef struct StratCampaignSample {
    SimTime ledger[STRAT_LOST_COUNT]; /* sums to the plan's end */
    int64_t stops, planned;
    int64_t struck;        /* of the stops, those that hit a running job */
    int64_t noticed;       /* slow faults that the step monitor told of */
    int64_t *by_class;     /* stops; the caller's */
    StratIncidentLog *log; /* of what happened; the caller's; NULL: not kept */
} StratCampaignSample;

/** Runs @replication of @plan into @sample, whose by_class is zeroed. */
void strat_campaign_once(const StratCampaignPlan *plan, uint64_t replication,
                         StratCampaignSample *sample);

#endif
