/* Job morphing (Varuna, EuroSys 2022): all start again from the last checkpoint, at once, with the
 * pipelines that are best for the nodes that are left; with a spare at hand that is a plain
 * restart. When nodes are back the job saves and morphs again. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_morph(const StratRecoveryCase *failure)
{
    StratRecoveryPlan plan = strat_recovery_restart(failure);
    if (failure->spare_is_free || !strat_recovery_can_adapt(failure))
        return plan;
    plan.goes_on = plan.is_adapted = true;
    plan.transition_s = plan.return_s = failure->restart_s + failure->load_s;
    plan.return_save_s = failure->save_s;
    plan.load_s = 0.0; /* the replacement loads with all others */
    return plan;
}
