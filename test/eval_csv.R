# eval_csv.R JSON LABELS - what `thorax eval A.csv B.csv .. --json` printed, recomputed from the same files by R's pROC: AUC,
# DeLong's test of two models, difference, standard error, p.
#
# Run by hand (r-base-core, r-cran-proc, r-cran-jsonlite). LABELS has a row a study; a study's score is the largest of its
# rows. Prints how many numbers were compared, and the largest absolute distance.
suppressPackageStartupMessages({library(pROC); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
said <- fromJSON(arguments[1], simplifyVector = FALSE)

key <- function(path) regmatches(path, regexpr("patient[^/]*/study[^/]*", path))
plain <- function(name) {
    name <- gsub("_", " ", tolower(name))
    ifelse(name == "effusion", "pleural effusion", name)
}
read <- function(file) {
    rows <- read.csv(file, check.names = FALSE)
    path <- as.character(rows[[if ("Path" %in% names(rows)) "Path" else "Study"]])
    list(key = key(path), rows = rows, column = plain(names(rows)))
}
# The task's numbers of the studies, in their order.
task_of <- function(table, task, studies) {
    value <- tapply(as.numeric(table$rows[[which(table$column == task)[1]]]), table$key, max)
    as.numeric(value[studies])
}

labels <- read(arguments[2])
names_of <- Filter(function(name) name != "ensemble", vapply(said$models, function(m) m$model, ""))
tables <- setNames(lapply(names_of, read), names_of)
worst <- 0
count <- 0
for (c in said$comparisons) {
    if (!is.null(c$tasks) || !all(c(c$a, c$b) %in% names_of))
        next
    task <- plain(c$task)
    studies <- unique(labels$key)
    label <- task_of(labels, task, studies)
    studies <- studies[!is.na(label) & label >= 0]
    label <- label[!is.na(label) & label >= 0]
    if (length(unique(label)) < 2)
        next
    roc_of <- function(model) roc(label, task_of(tables[[model]], task, studies), levels = c(0, 1), direction = "<",
                                  quiet = TRUE, algorithm = 2)
    a <- roc_of(c$a)
    b <- roc_of(c$b)
    here <- c(auc_a = as.numeric(auc(a)), auc_b = as.numeric(auc(b)))
    here["difference"] <- here["auc_a"] - here["auc_b"]
    if (!is.null(c$p)) {
        test <- roc.test(a, b, method = "delong", paired = TRUE)
        here["p"] <- as.numeric(test$p.value)
        here["se"] <- sqrt(var(a) + var(b) - 2 * cov(a, b))
    }
    for (name in names(here)) {
        worst <- max(worst, abs(here[[name]] - c[[name]]))
        count <- count + 1
    }
}
cat(count, "numbers, largest distance", worst, "\n")
