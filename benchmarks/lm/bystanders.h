// Measures the load of other processes during a measurement.
#pragma once

namespace cultivar {

class Bystanders {
public:
    Bystanders();  // begins to count

    // Returns the mean number of cores that other processes kept busy since construction, without this process and its
    // reaped children. 0 if /proc/stat cannot be read.
    double cores() const;

private:
    struct Account {
        double at_s = 0, all_s = 0, own_s = 0;  // seconds of CPU time since start-up
    };
    static Account now();

    Account began_;
};

}  // namespace cultivar
