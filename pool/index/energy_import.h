// The energy of runs and verdicts, slot by slot, into the table `energy`.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "pool/index/index_database.h"
#include "pool/types/record.h"
#include "pool/types/verdict.h"

namespace cultivar {

class EnergyImport {
public:
    explicit EnergyImport(IndexDatabase& database) : database_(database) {}
    Result<void> prepare();  // before anything else

    // Of the run or the verdict that was inserted last. Records from before slots are spread evenly over their time. Joules
    // of a run beyond those that are believed (pool/index/sql.h) are left out in proportion.
    Result<void> take_run(const Run& run);
    Result<void> take_verdict(const Verdict& verdict);

private:
    // One kind of energy of one record: the columns of table `energy_group`.
    struct Group {
        std::string writer, category, operator_name, line, zone, method;
        bool is_spread = false;
    };
    struct Slot {
        std::int64_t start_s = 0, length_s = 0;
        double seconds = 0, above = 0, above_low = 0, above_high = 0, gross = 0, gross_low = 0, gross_high = 0;
        bool gross_known = true;
        std::int64_t bytes = 0;
    };

    Result<std::int64_t> last_inserted();
    Result<std::int64_t> number_of(const Group& group);
    Result<void> put(int kind, std::int64_t owner, const Group& group, const Slot& slot);
    Result<void> put_energy(int kind, std::int64_t owner, Group group, const Energy& energy, double scale);
    Result<void> put_spread(int kind, std::int64_t owner, Group group, const Energy& energy, double scale);
    Result<void> put_proposer(std::int64_t owner, Group group, const Run& run);
    double believed_share(const Run& run) const;

    IndexDatabase& database_;
    Statement put_, put_group_, get_group_, last_;
    std::map<std::string, std::int64_t> groups_{};
    std::int64_t from_s_ = 0, to_s_ = 0;  // of the record that is taken
    double wall_s_ = 0;
};

}  // namespace cultivar
