/** What `orrery calibrate` writes. */
#ifndef SCEN_HOST_YAML_H
#define SCEN_HOST_YAML_H

#include "kern_host_bench.h"

/** A finished calibration; everything is borrowed. */
typedef struct ScenHostReport {
    const KernHostMachine *machine;
    const KernHostBlas *blas;
    const KernHostBench *bench;
    const KernHostFit *fit;
    int threads;
    double measured_s; /* how long it was measured */
    const char *mode;  /* "--quick" */
    const char *date;  /* of today, ISO 8601 */
} ScenHostReport;

/** The document: a record of the machine, and the rows host-cpu of a profile, a GPU and a node. The
 *  caller owns it. */
char *scen_host_yaml(const ScenHostReport *report);

#endif
