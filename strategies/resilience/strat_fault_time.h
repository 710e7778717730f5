/** How often a class of faults comes as time goes by. */
#ifndef STRAT_FAULT_TIME_H
#define STRAT_FAULT_TIME_H

#include "strat_fault.h"

/** The time of one class: in operated time, faults come at an even rate. Borrows all. */
typedef struct StratFaultTime {
    const StratFaultModel *model;
    const char *class_name;
    double mean_gap_s; /* of operated time; infinite: it never fails */
    double steady;     /* 1, or 0 when only early failures come */
    double early;      /* rate of early failures at the start, over the steady one */
    bool is_even;      /* operated time is time */
} StratFaultTime;

StratFaultTime strat_fault_time_of(const StratFaultModel *model, const StratFaultClass *c);

/** The time, in s and after @after_s, at which @operated_s is reached; infinite when it never is.
 */
double strat_fault_time_at(const StratFaultTime *time, double operated_s, double after_s);

#endif
