#!/usr/bin/perl
# SpamAssassin's Perl API in one process: learns labelled mail, or scores mail with rules and Bayes together. No network.
#
#   spamassassin.pl train DIRECTORY < list of `spam PATH` or `ham PATH`
#   spamassassin.pl score DIRECTORY < list of paths, gives: path, Bayes probability, score, required score
#
# DIRECTORY holds the Bayes database. The two steps are two processes, because SpamAssassin settles at its start whether it
# knows enough for Bayes to count, and with it which scores its rules have.
use strict;
use warnings;
use Mail::SpamAssassin;

my ($step, $directory) = @ARGV;
die "usage: spamassassin.pl train|score DIRECTORY\n" unless defined $directory && $step =~ /^(?:train|score)$/;

my $assassin = Mail::SpamAssassin->new({
    rules_filename => '/usr/share/spamassassin',
    userprefs_filename => '/dev/null',
    userstate_dir => $directory,
    home_dir_for_helpers => $directory,
    local_tests_only => 1,
    dont_copy_prefs => 1,
    # Nothing is forgotten and nothing learned but what is given: the same for every filter.
    post_config_text => "bayes_path $directory/bayes\nuse_bayes 1\nbayes_auto_learn 0\nbayes_auto_expire 0\n",
});
$assassin->init(1);

sub parsed {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    my @lines = <$file>;
    close $file;
    return $assassin->parse(\@lines, 1);
}

if ($step eq 'train') {
    $assassin->init_learner({ caller_will_untie => 1, wait_for_lock => 1 });
    while (my $line = <STDIN>) {
        chomp $line;
        my ($label, $path) = split / /, $line, 2;
        my $mail = parsed($path);
        $assassin->learn($mail, undef, $label eq 'spam' ? 1 : 0, 0);
        $mail->finish;
    }
    $assassin->rebuild_learner_caches;
    $assassin->finish_learner;
} else {
    $| = 1;
    while (my $path = <STDIN>) {
        chomp $path;
        my $mail = parsed($path);
        my $status = $assassin->check($mail);
        # Where Bayes found nothing to go by, it says nothing: that is one half.
        my $bayes = $status->{bayes_score} // 0.5;
        print join("\t", $path, $bayes, $status->get_score, $status->get_required_score), "\n";
        $status->finish;
        $mail->finish;
    }
}
$assassin->finish;
