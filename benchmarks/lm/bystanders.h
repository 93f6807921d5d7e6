// Who else was using the machine while something was measured.
#pragma once

namespace cultivar {

class Bystanders {
public:
    Bystanders();  // begins to count

    // Cores that other processes kept busy on average since construction, this process and its reaped children apart.
    // 0 where /proc/stat cannot be read.
    double cores() const;

private:
    struct Account {
        double at_s = 0, all_s = 0, own_s = 0;  // seconds of CPU time since start-up
    };
    static Account now();

    Account began_;
};

}  // namespace cultivar
