# A table of set, y, v on standard input; for each set REML with Hartung and Knapp's interval, and seconds a fit.
suppressPackageStartupMessages(library(metafor))
d <- read.csv(file("stdin"))
how <- list(threshold = 1e-12, maxiter = 1000)
cat("set,y,se,low,high,tau2,seconds\n")
for (set in unique(d$set)) {
  one <- d[d$set == set, ]
  fit <- rma(one$y, one$v, method = "REML", test = "knha", control = how)
  spent <- system.time(for (i in 1:50) rma(one$y, one$v, method = "REML", test = "knha", control = how))
  cat(set, ",", paste(format(c(fit$beta, fit$se, fit$ci.lb, fit$ci.ub, fit$tau2, sum(spent[1:2]) / 50), digits = 15),
                      collapse = ","), "\n", sep = "")
}
cat("version,", as.character(packageVersion("metafor")), ",", as.character(getRversion()), ",,,,\n", sep = "")
