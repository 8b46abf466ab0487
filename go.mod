module github.com/kansu-dev/kansu

go 1.26
